import { type IncomingMessage, request } from 'node:http'
import { Duplex } from 'node:stream'
import { seededRandom } from '@portolan/core'
import { BodyReader, defaultCodecLimits } from '../../packages/portolan/src/proxy/codec/codec.ts'
import { responseOf } from '../../packages/portolan/src/proxy/codec/testing/parse.ts'
import { gatewayFor, Opened, rawUpstream } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { known } from './disagreements.ts'
import type { Fuzzer, Outcome } from './fuzzer.ts'
import { type AnswerInput, answersOf } from './inputs.ts'

/** What Node's client makes of an answer. */
interface Got {
  readonly status: number
  readonly reason: string
  /** Without those that are each connection's own. */
  readonly fields: readonly string[]
  readonly body: string
  readonly code: string | undefined
}

const ofTheHop = new Set([
  'connection',
  // Reserved, so that no field is called so (RFC 9112 section 12.1): either side may say `Connection: close`, which names it.
  'close',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'transfer-encoding',
  'content-length',
])

/** @returns the answer, or why there is none that is whole */
function ask(
  method: string,
  where: { readonly port: number } | { readonly text: string },
): Promise<Got | string> {
  return new Promise(resolve => {
    const options =
      'port' in where ? { port: where.port } : { createConnection: () => connectionWith(where.text) }
    const call = request({
      ...options,
      host: '127.0.0.1',
      method,
      maxHeaderSize: 65_536,
      headers: { host: 'a' },
    })
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)
    call.on('error', failed)
    call.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve('101')
    })
    call.on('response', (response: IncomingMessage) => {
      let body = ''
      response.setEncoding('latin1')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', failed)
      response.on('end', () => {
        if (response.complete) resolve(gotOf(response, body))
        else resolve('aborted')
      })
      response.on('close', () => resolve('aborted'))
    })
    call.end(method === 'POST' ? 'hello' : undefined)
  })
}

function gotOf(
  { statusCode = 0, statusMessage = '', rawHeaders, headers }: IncomingMessage,
  body: string,
): Got {
  const named = new Set(`${headers.connection ?? ''}`.toLowerCase().split(/[ \t]*,[ \t]*/))
  const fields: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const lookAlike = name.replaceAll('_', '-')
    if (!ofTheHop.has(lookAlike) && !named.has(name))
      fields.push(`${name}: ${(rawHeaders[i + 1] ?? '').trim()}`)
  }
  const code = headers['portolan-error']
  return {
    status: statusCode,
    reason: statusMessage,
    fields,
    body,
    code: typeof code === 'string' ? code : undefined,
  }
}

/** A connection on which the request goes nowhere, and this comes back, then the end. */
function connectionWith(text: string): Duplex {
  let sent = false
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (!sent) {
        sent = true
        this.push(Buffer.from(text, 'latin1'))
        this.push(null)
      }
      done()
    },
  })
}

interface OurView {
  /** Why our codec does not take the answer; `undefined`: it does, as far as it goes. */
  readonly refusal: string | undefined
  /** Whether bytes are left behind the answer. */
  readonly more: boolean
  /** Whether its coding is `chunked` with white space behind. */
  readonly spaced: boolean
}

function ourViewOf({ method, text }: AnswerInput): OurView {
  const spaced = /^transfer-encoding:[ \t]*chunked[ \t]+\r$/im.test(text)
  let rest = text
  for (;;) {
    const { head, bytes, end, code } = responseOf(rest, method)
    if (code !== undefined || end < 0) return { refusal: code, more: false, spaced }
    if (head.status === 101) return { refusal: 'switching', more: false, spaced }
    if (head.interim) {
      rest = rest.slice(end)
      continue
    }
    const body = new BodyReader(defaultCodecLimits)
    body.begin(head.framing, head.contentLength)
    const next = body.read(bytes, end, bytes.length, { span() {} })
    return { refusal: body.refusal?.code, more: next < bytes.length, spaced }
  }
}

function inputOf(seed: number): AnswerInput {
  return answersOf(seededRandom(seed))
}

function compare(direct: Got | string, through: Got | string, { refusal, more, spaced }: OurView): Outcome {
  const refusedByUs = typeof through === 'string' || through.code !== undefined
  if (typeof direct === 'string') {
    if (refusedByUs) return 'both refuse'
    return known('answers', `we pass, Node refuses: ${more ? 'bytes behind the answer' : direct}`)
  }
  if (spaced && JSON.stringify(direct) !== JSON.stringify(through))
    return known('answers', 'we read chunks, Node does not: spaces behind chunked')
  if (refusedByUs) {
    if (refusal !== undefined) return known('answers', `we refuse, Node reads: ${refusal}`)
    throw new Error(`Node reads it, and we fail with ${JSON.stringify(through)}`)
  }
  const { code: _, ...ours } = through
  const { code: __, ...nodes } = direct
  if (JSON.stringify(ours) !== JSON.stringify(nodes))
    throw new Error(`came through: ${JSON.stringify(ours)}; without us: ${JSON.stringify(nodes)}`)
  return 'the same came through'
}

/** Without the Date that a gateway adds where there is none. */
function undated(through: Got | string, direct: Got | string): Got | string {
  const isDate = (field: string) => field.startsWith('date:')
  if (typeof through === 'string' || typeof direct === 'string' || direct.fields.some(isDate)) return through
  return { ...through, fields: through.fields.filter(field => !isDate(field)) }
}

/** The same answer straight to a client of Node's, and to one that asks through a gateway. */
export async function openAnswers(): Promise<Fuzzer> {
  const opened = new Opened()
  let text = ''
  const upstream = await rawUpstream(opened, (socket, received) => {
    // A POST's body may come behind its head; whoever writes first has answered.
    if (received.includes('HTTP/1.1\r\n') && !socket.writableEnded) socket.end(text, 'latin1')
  })
  const settings = { bodyIdleMs: 5000, responseMs: 5000, drainMs: 10 }
  const { gateway } = await gatewayFor(opened, [upstream.port], settings, {
    routes: [{ match: { path: '/' }, service: 'order' }],
    exposed: 'all',
    outliers: { order: { consecutiveBroken: 0, consecutive5xx: 0 } },
  })
  return {
    name: 'answers',
    input: inputOf,
    async run(seed): Promise<Outcome> {
      const input = inputOf(seed)
      text = input.text
      const direct = await ask(input.method, { text })
      const through = undated(await ask(input.method, { port: gateway.port }), direct)
      return compare(direct, through, ourViewOf(input))
    },
    close: () => opened.close(),
  }
}
