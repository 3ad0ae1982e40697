import { formatHostPort, type Milliseconds } from '@portolan/core'
import type { Finding } from './probe.ts'

const maxReason = 256

/** What cannot be printed, and what turns text around, is shown as `?`: reasons end up on terminals. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** One line of at most 256 characters. */
export function reasonText(text: string): string {
  const line = text.slice(0, 4 * maxReason).replace(unprintable, '?')
  return line.length <= maxReason ? line : `${line.slice(0, maxReason - 1)}…`
}

export function passing(latencyMs: Milliseconds): Finding {
  return { status: 'passing', presence: 'answered', reason: '', latencyMs }
}

/** Somebody was there, and yet. */
export function failing(reason: string, latencyMs: Milliseconds): Finding {
  return { status: 'critical', presence: 'answered', reason: reasonText(reason), latencyMs }
}

/** What cannot be probed at all, which proves nothing. */
export function unprobeable(reason: string): Finding {
  return { status: 'critical', presence: 'silent', reason: reasonText(reason), latencyMs: 0 }
}

/** Nobody but ourselves was there: the kernel gave a connection to a closed local port its own port as the source. */
export function nobodyThere(host: string, port: number, latencyMs: Milliseconds): Finding {
  const reason = `${formatHostPort(host, port)} refuses connections`
  return { status: 'critical', presence: 'refused', reason, latencyMs }
}

/** Why no connection came about. */
export function unconnected(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  latencyMs: Milliseconds,
): Finding {
  const code = error.code ?? ''
  if (code === 'ECONNREFUSED') return nobodyThere(host, port, latencyMs)
  const where = formatHostPort(host, port)
  const reason = reasonText(`${where}: ${meanings[code] ?? error.message}`)
  const finding = { status: 'critical', presence: 'silent', reason, latencyMs } as const
  // Without IPv6 its addresses give the code that a want of local ports gives.
  const ours = shortages.has(code) || (code === 'EADDRNOTAVAIL' && !host.includes(':'))
  return ours ? { ...finding, inconclusive: true } : finding
}

/** How a connection that had come about was lost. */
export function lostReason(error: NodeJS.ErrnoException | undefined): string {
  if (error === undefined) return 'closed the connection'
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset the connection' : error.message
}

/** Our own want: it says nothing of whoever was to be probed. */
const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE'])

const meanings: Readonly<Record<string, string>> = {
  EMFILE: 'the checker has too many open files (raise ulimit -n)',
  ENFILE: 'the machine has too many open files',
  ENOBUFS: 'the checker has no buffers left',
  ENOMEM: 'the checker has no memory left',
  EADDRNOTAVAIL: 'no local address or port to call from',
  EADDRINUSE: 'the checker has no local port left',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  EHOSTDOWN: 'the host is down',
  ETIMEDOUT: 'no answer',
  EPERM: 'the local firewall forbids it',
  EACCES: 'the local firewall forbids it',
  EINVAL: 'no such interface or address',
}
