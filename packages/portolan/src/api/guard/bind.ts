import { BlockList, isIP } from 'node:net'
import { Fault } from '@portolan/core'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether only this machine reaches a listener on `host` (`localhost` or an address; other names do not count). */
export function isLoopback(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return host === 'localhost'
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/** What stands between the network and a listener. */
export interface Protection {
  readonly tls: boolean
  /** What callers without a token may do. */
  readonly anonymous: 'admin' | 'read' | 'none'
  /** The operator has said that the network is to be trusted. */
  readonly insecure: boolean
}

/**
 * A listener beyond loopback needs TLS, and tokens for everything that changes something.
 * @throws Fault `tls_required`
 */
export function checkBind(host: string, protection: Protection): void {
  if (isLoopback(host) || protection.insecure) return
  const missing = [
    ...(protection.tls ? [] : ['TLS']),
    ...(protection.anonymous === 'admin' ? ['tokens instead of anonymous administrators'] : []),
  ]
  if (missing.length === 0) return
  throw new Fault(
    'tls_required',
    `listening on ${host}, beyond this machine, needs ${missing.join(' and ')}`,
    {
      source: 'caller',
      hint: 'set api.tls.cert and api.tls.key, and auth.anonymous to "none" or "read"; or listen on 127.0.0.1; or say --insecure on a network that you trust',
    },
  )
}
