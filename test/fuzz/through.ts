import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { readByNode } from '../../packages/portolan/src/proxy/codec/testing/node-reading.ts'
import { readByUs } from '../../packages/portolan/src/proxy/codec/testing/our-reading.ts'
import { gatewayFor, Opened } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { known } from './disagreements.ts'
import type { Fuzzer, Outcome } from './fuzzer.ts'
import { asksForUpgrade, streamOf } from './requests.ts'

interface Seen {
  readonly method: string
  readonly target: string
  body: string
  whole: boolean
}

/** A server of Node's own that notes what it reads. */
async function nodeServer(opened: Opened) {
  let seen: Seen[] = []
  let refusal: string | undefined
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const entry: Seen = { method: request.method ?? '', target: request.url ?? '', body: '', whole: false }
    seen.push(entry)
    request.setEncoding('latin1')
    request.on('data', (chunk: string) => {
      entry.body += chunk
    })
    request.on('end', () => {
      entry.whole = true
      response.end()
    })
  }
  const server = createServer({ maxHeaderSize: 65_536, keepAliveTimeout: 60_000 }, take)
  server.on('checkExpectation', take)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Requests that we have begun and given up are no refusals of Node's.
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE')
      refusal = error.code ?? error.message
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    /** What it has read since it was asked last. */
    taken() {
      const result = { requests: seen.filter(({ whole }) => whole), refusal }
      seen = []
      refusal = undefined
      return result
    },
  }
}

/** Sends all of it, then the end, and waits for the gateway's. */
function send(port: number, text: string): Promise<string> {
  return new Promise(resolve => {
    let received = ''
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.setEncoding('latin1')
    socket.on('data', chunk => {
      received += chunk
    })
    socket.on('error', () => {})
    socket.on('end', () => socket.destroy())
    socket.on('close', () => resolve(received))
    socket.end(text, 'latin1')
  })
}

/** An absolute target as an instance gets it. */
function originForm(method: string, target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '')
  if (path === target || path.startsWith('/')) return path
  return path === '' && method === 'OPTIONS' ? '*' : `/${path}`
}

/**
 * The same stream straight to Node's parser, and through a gateway to a server of Node's: what comes through is what
 * was read without us, up to where one of us refuses.
 */
export async function openThrough(): Promise<Fuzzer> {
  const opened = new Opened()
  const server = await nodeServer(opened)
  const settings = { halfClosedMs: 1000, headMs: 5000, bodyIdleMs: 5000, responseMs: 5000, drainMs: 10 }
  const { gateway } = await gatewayFor(opened, [server.port], settings)
  return {
    name: 'through',
    input: streamOf,
    async run(seed): Promise<Outcome> {
      const text = streamOf(seed)
      const received = await send(gateway.port, text)
      const { requests, refusal } = server.taken()
      const direct = await readByNode(text)
      const codec = readByUs(text)
      const expected = codec.requests.map(ours => ({
        text: JSON.stringify([ours.method, originForm(ours.method, ours.target), ours.body]),
        // Of a request that asks for another protocol Node may read the head alone.
        bare: JSON.stringify([
          ours.method,
          originForm(ours.method, ours.target),
          asksForUpgrade(ours) ? '' : ours.body,
        ]),
      }))
      let at = 0
      let bare = false
      for (const { method, target, body } of requests) {
        const through = JSON.stringify([method, target, body])
        // What Node has refused is missing; where it has refused nothing, nothing is.
        const last = refusal === undefined ? at + 1 : expected.length
        const found = expected.findIndex(
          (entry, index) => index >= at && index < last && (entry.text === through || entry.bare === through),
        )
        if (found < 0)
          throw new Error(
            `came through: ${through}; sent: ${expected.slice(at).map(({ text: sent }) => sent)}`,
          )
        if (expected[found]?.text !== through) bare = true
        at = found + 1
      }
      const [, code] = /\r\nPortolan-Error: (\w+)\r\n/.exec(received) ?? []
      if (
        code !== undefined &&
        /^(upstream|connect_f|no_|too_many_[cps])/.test(code) &&
        refusal === undefined
      )
        throw new Error(`answered with ${code}`)
      if (refusal !== undefined) return known('requests', `we pass, Node refuses: ${refusal}`)
      if (code !== undefined)
        return direct.requests.length > requests.length
          ? known('requests', `we refuse, Node reads: ${code}`)
          : 'both refuse'
      if (bare || (requests.length < codec.requests.length && codec.requests.some(asksForUpgrade)))
        return known('requests', 'we go on, Node does not: behind an Upgrade')
      if (requests.length < codec.requests.length)
        throw new Error(`only ${requests.length} came through: ${JSON.stringify(received)}`)
      return 'the same came through'
    },
    close: () => opened.close(),
  }
}
