import type { ClientRequest, IncomingMessage } from 'node:http'
import { Fault, type FaultCode, type Milliseconds } from '@portolan/core'
import { type ClientOptions, WebSocket } from 'ws'
import type { Dial, DialOptions } from './wire.ts'

/** A snapshot of 100,000 instances has about 50 MB; what is larger than this is no registry. */
const maxMessageBytes = 128 * 1024 * 1024
const goodbyeMs = 1000

/** {@link Dial} over the package `ws`, which answers pings by itself. */
export const dialWebSocket: Dial = (url, options, events) => {
  const socket = new WebSocket(url, {
    ...socketOptions(options),
    finishRequest: request =>
      endWithin(request, options.connectMs, () => cut(noConnection(options.connectMs))),
  })
  let reason: Fault | undefined
  let goodbye: NodeJS.Timeout | undefined
  let forgetExit = () => {}

  const close = (fault: Fault) => {
    clearTimeout(goodbye)
    forgetExit()
    forgetExit = () => {}
    if (socket.readyState !== WebSocket.CLOSED) socket.terminate()
    events.closed(reason ?? fault)
  }

  socket.on('open', () => {
    forgetExit = atExit(() => socket.close(1000))
    events.opened()
  })
  socket.on('ping', payload => events.pinged(readInterval(payload)))
  socket.on('message', (data, binary) => {
    if (reason !== undefined) return
    if (binary) return cut(new Fault('protocol_unsupported', 'a binary frame came', { source: 'upstream' }))
    events.received(data.toString())
  })
  socket.on('unexpected-response', (request, response) => {
    void refusal(response).then(fault => {
      reason ??= fault
      request.destroy()
      socket.terminate()
    })
  })
  socket.on('error', error => {
    reason ??= unreachable(error.message || errorCode(error) || 'connection failed', error)
  })
  socket.on('close', code => close(unreachable(`connection closed (${code})`)))

  const cut = (fault: Fault) => {
    reason ??= fault
    socket.terminate()
  }

  return {
    send: text => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text, ignoreFailedWrite)
    },
    close: () => {
      if (socket.readyState === WebSocket.CONNECTING) return socket.terminate()
      socket.close(1000)
      goodbye = setTimeout(() => socket.terminate(), goodbyeMs)
    },
    cut,
  }
}

/** Sends a request whose connection must come about in time. */
function endWithin(request: ClientRequest, ms: Milliseconds, late: () => void): void {
  request.once('socket', socket => {
    const timer = setTimeout(late, ms)
    const stop = () => clearTimeout(timer)
    socket.once('connect', stop)
    socket.once('close', stop)
  })
  request.end()
}

/**
 * A process that ends without closing its client says goodbye all the same, with one small write that the kernel takes
 * at once: else drains would wait for it to come back. Returns what calls it off.
 */
function atExit(run: () => void): () => void {
  const most = process.getMaxListeners()
  if (most > 0) process.setMaxListeners(most + 1)
  process.on('exit', run)
  return () => {
    process.off('exit', run)
    if (most > 0) process.setMaxListeners(process.getMaxListeners() - 1)
  }
}

/** A write that fails is followed by `close`, which says everything. */
function ignoreFailedWrite(): void {}

function socketOptions(options: DialOptions): ClientOptions {
  return {
    ...options.tls,
    handshakeTimeout: options.timeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
    headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
  }
}

function readInterval(payload: Buffer): number | undefined {
  const ms = payload.length === 0 || payload.length > 6 ? Number.NaN : Number(payload.toString('latin1'))
  return Number.isInteger(ms) && ms > 0 ? ms : undefined
}

function errorCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function noConnection(ms: Milliseconds): Fault {
  return unreachable(`no connection within ${ms} ms`)
}

function unreachable(message: string, cause?: unknown): Fault {
  return new Fault('registry_unreachable', message, { source: 'upstream', retryable: true, cause })
}

const codeOfStatus: Readonly<Record<number, FaultCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'protocol_unsupported',
  421: 'host_not_allowed',
  429: 'too_many',
}

const hintOfCode: Partial<Record<FaultCode, string>> = {
  unauthorized: 'set PORTOLAN_TOKEN or pass { token }; `portolan token` makes one',
  protocol_unsupported: 'is this the address of a Portolan registry?',
}

/** Why a server answered the upgrade with something else, in its own words where it gives any. */
async function refusal(response: IncomingMessage): Promise<Fault> {
  const status = response.statusCode ?? 0
  const code = codeOfStatus[status] ?? 'registry_unreachable'
  const said = await detailOf(response)
  return new Fault(code, `answered ${status}${said === '' ? '' : `: ${said}`}`, {
    source: 'upstream',
    retryable: status === 429 || status >= 500,
    ...(hintOfCode[code] === undefined ? {} : { hint: hintOfCode[code] }),
  })
}

async function detailOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    response.setTimeout(goodbyeMs, () => response.destroy())
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > 4096) break
    }
    const problem: unknown = JSON.parse(text)
    if (typeof problem !== 'object' || problem === null) return ''
    if ('detail' in problem && typeof problem.detail === 'string') return problem.detail
    return 'title' in problem && typeof problem.title === 'string' ? problem.title : ''
  } catch {
    return ''
  }
}
