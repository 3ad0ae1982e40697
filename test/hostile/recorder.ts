import type { Socket } from 'node:net'
import {
  type Opened,
  type RawUpstream,
  rawUpstream,
} from '../../packages/portolan/src/proxy/testing/harness.ts'
import { type Message, readMessages } from './messages.ts'

/** An instance that reads byte by byte what it gets, notes it, and answers each whole request with what it took it for. */
export interface Recorder {
  readonly upstream: RawUpstream
  /** `METHOD target body` of each whole request, in the order of their ends. */
  readonly seen: readonly string[]
  /** What no instance may get: the first one of each connection. */
  readonly faults: readonly string[]
  /** Connections that are open in the midst of a request. */
  halfway(): number
}

export function requestLine({ start, body }: Message): string {
  return `${start.replace(/ HTTP\/1\.1$/, '')} ${body}`
}

const answerTo = (message: Message) => {
  const body = `<${requestLine(message).slice(0, 200)}>`
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${message.start.startsWith('HEAD') ? '' : body}`
}

/** @param answer how to answer the first request; undefined = like any other */
export async function recorder(opened: Opened, answer?: (socket: Socket) => void): Promise<Recorder> {
  const seen: string[] = []
  const faults: string[] = []
  const held = new Map<Socket, string>()
  let answered = answer === undefined
  const upstream = await rawUpstream(opened, (socket, text) => {
    const { messages, rest, fault } = readMessages((held.get(socket) ?? '') + text, false, () => false)
    held.set(socket, fault === undefined ? rest : '')
    if (fault !== undefined) faults.push(fault)
    for (const message of messages) {
      seen.push(requestLine(message))
      faults.push(...faultsOf(message))
      if (answered) socket.write(answerTo(message), 'latin1')
      else {
        answered = true
        answer?.(socket)
      }
    }
  })
  const halfway = () => [...upstream.sockets].filter(socket => (held.get(socket) ?? '') !== '').length
  return { upstream, seen, faults, halfway }
}

/** What the gateway must have taken out of a head, or set. */
function faultsOf({ start, fields }: Message): string[] {
  const names = fields.map(([name]) => name)
  const faults: string[] = []
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [!-~]+ HTTP\/1\.1$/.test(start)) faults.push(`a start ${start}`)
  if (names.filter(name => name === 'host').length !== 1) faults.push('not one Host')
  if (names.filter(name => name === 'x-forwarded-for').length !== 1) faults.push('not one X-Forwarded-For')
  for (const [name, value] of fields) {
    const isUpgrade = (name === 'connection' && value === 'Upgrade') || name === 'upgrade'
    const isHop = [
      'connection',
      'keep-alive',
      'proxy-connection',
      'te',
      'upgrade',
      'http2-settings',
    ].includes(name)
    if (name.replaceAll('_', '-') === 'x-request-timeout-ms') faults.push(`a field ${name}`)
    if (isHop && !isUpgrade) faults.push(`a field ${name}`)
    if (name === 'upgrade' && !/^(websocket|tcp)$/.test(value)) faults.push(`Upgrade: ${value}`)
    if (name.includes('_') && /^(content|transfer|x)_/.test(name)) faults.push(`a look-alike ${name}`)
  }
  return faults
}
