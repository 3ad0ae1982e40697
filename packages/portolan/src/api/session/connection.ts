import type { Duplex } from 'node:stream'
import { Fault, toFault } from '@portolan/core'
import type { WebSocket } from 'ws'
import type { ApiContext } from '../context.ts'
import type { Converse } from './conversation.ts'
import { messageBucket, openGate } from './intake.ts'
import { isRequest, messagesIn, parseRequest, type Request } from './requests.ts'
import { closeCodes, maxUnsent, type Session } from './session.ts'
import { openWire, type Wire } from './wire.ts'

/** What a connection needs of the sessions around it. */
export interface ConnectionParts {
  readonly context: ApiContext
  readonly converse: Converse
  /** Makes a session of the first message. @throws Fault `invalid_request`, `protocol_unsupported` */
  welcome(wire: Wire, hello: Request): Session
  answered(session: Session): void
  /** `broken`: without a goodbye. */
  part(session: Session, how: 'broken' | undefined): void
}

/** Codes by which a client says that it is done (RFC 6455 section 7.4.1): closed, going away, closed without a code. */
const goodbyes: ReadonlySet<number> = new Set([1000, 1001, 1005])

/** Reads one websocket to its end: hello, then requests, no faster than the limits allow. */
export function openConnection(
  { websocket, socket }: { readonly websocket: WebSocket; readonly socket: Duplex },
  { context, converse, welcome, answered, part }: ConnectionParts,
): void {
  const { clock, limits, times, metrics, log } = context
  const wire = openWire(socket)
  const gate = openGate(websocket)
  const bucket = messageBucket(limits.messages, clock)
  let session: Session | undefined
  let pending = 0
  let throttled = false

  const receive = (text: string): void => {
    const request = parseRequest(text)
    if (!isRequest(request)) {
      fail(request.fault, request.seq)
      return
    }
    metrics.messages.inc({ type: request.type })
    bucket.take(messagesIn(request) - 1)
    if (session === undefined) session = greet(request)
    else if (request.type === 'hello') fail(unexpected('hello was said already'), undefined)
    else answer(session, request)
  }

  const greet = (request: Request): Session | undefined => {
    try {
      return welcome(wire, request)
    } catch (thrown) {
      fail(toFault(thrown), undefined)
      websocket.close(closeCodes.protocol, 'hello was not accepted')
      return undefined
    }
  }

  const answer = (to: Session, request: Parameters<Converse>[1]): void => {
    const seq = 'seq' in request ? request.seq : undefined
    try {
      const doing = converse(to, request)
      if (doing === undefined) return
      pending += 1
      if (pending >= limits.pending) gate.hold('pending')
      const done = (): void => {
        pending -= 1
        if (pending < limits.pending) gate.release('pending')
      }
      doing.then(done, thrown => {
        fail(toFault(thrown), seq)
        done()
      })
    } catch (thrown) {
      fail(toFault(thrown), seq)
    }
  }

  /** What was read together comes in together: the wait is looked at again until it is over. */
  const throttle = (): void => {
    const { waitMs } = bucket
    throttled = waitMs > 0
    if (!throttled) {
      gate.release('rate')
      return
    }
    gate.hold('rate')
    // It is we who do not read its pong for now.
    if (session !== undefined) answered(session)
    setTimeout(throttle, Math.min(waitMs, times.silent / 2)).unref()
  }

  const fail = (fault: Fault, seq: number | undefined): void => {
    if (fault.code === 'internal') log.error({ err: fault }, 'session: a request failed')
    const { code, message, hint, retryable } = fault
    wire.send({
      type: 'failed',
      ...(seq === undefined ? {} : { seq }),
      code,
      message: code === 'internal' ? 'something failed inside the server; its log says what' : message,
      ...(hint === undefined ? {} : { hint }),
      retryable,
    })
  }

  websocket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) fail(unexpected('a binary frame; messages are JSON texts'), undefined)
    else receive(data.toString())
    bucket.take()
    if (bucket.waitMs > 0 && !throttled) throttle()
    if (wire.unsent > maxUnsent) gate.hold('unsent')
  })
  websocket.on('pong', () => session !== undefined && answered(session))
  websocket.on('error', thrown => log.debug({ err: thrown }, 'session: a connection broke'))
  websocket.on('close', code => {
    if (session !== undefined) part(session, goodbyes.has(code) ? undefined : 'broken')
  })
  socket.on('drain', () => {
    gate.release('unsent')
    for (const subscription of session?.watches.values() ?? []) subscription.resume()
    session?.catalogue?.resume()
  })
}

export function unexpected(problem: string): Fault {
  return new Fault('invalid_request', problem, {
    source: 'caller',
    hint: 'docs/protocol.md shows the order of messages',
  })
}
