import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Fault, protocolVersion, toFault } from '@portolan/core'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Identity } from '../../registry/access/access.ts'
import { peerAddress } from '../body/peer.ts'
import type { ApiContext } from '../context.ts'
import { type Converse, openConversation } from './conversation.ts'
import { messageBucket, openGate } from './intake.ts'
import { openLiveness } from './liveness.ts'
import { isRequest, parseRequest, type Request, type RequestOf } from './requests.ts'
import { openRoster, type Roster } from './roster.ts'
import { closeCodes, type Session } from './session.ts'
import { openWire, type Wire } from './wire.ts'

/** A websocket that was let in. */
export interface Admitted {
  readonly identity: Identity
  readonly secret: string | undefined
}

/** The session websocket: `GET /api/v1/session`. */
export interface Sessions {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, admitted: Admitted): void
  readonly roster: Roster
  close(): void
}

/** Answers that a peer does not take: from here on its next requests are not read. */
const maxUnsent = 1_048_576

/** How often the tokens of open sessions are looked at again. */
const recheckMs = 5000

export function openSessions(context: ApiContext): Sessions {
  const { registry, access, clock, limits, times, metrics, log } = context
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: limits.frame,
  })
  const roster = openRoster(clock, times.lease)
  const converse = openConversation(context, roster)
  let closing = false
  const strangers = new Map<WebSocket, number>()
  const liveness = openLiveness<Session>(times, clock, {
    onSilent(session) {
      metrics.silences.inc()
      if (isCurrent(session)) registry.sessionSilent(session.id)
    },
    onAnswered(session) {
      if (isCurrent(session)) registry.sessionAnswered(session.id)
    },
    onLost: session => session.close(closeCodes.silent, 'no pong within the time of a lease'),
    onLag: ms => metrics.loopLag.inc(ms / 1000),
  })
  const sweep = setInterval(
    () => {
      endRevoked()
      endMute()
    },
    Math.min(recheckMs, times.hello),
  )
  sweep.unref()

  /** A connection whose session goes on over another one says nothing about it any more. */
  function isCurrent(session: Session): boolean {
    return roster.open.get(session.id) === session
  }

  function endRevoked(): void {
    for (const session of roster.open.values()) {
      try {
        access.authenticate(session.secret)
      } catch {
        session.close(closeCodes.unauthorized, 'the token was revoked or has expired')
      }
    }
  }

  /** Those who do not say hello. In the order in which they came, so the first that is in time ends the search. */
  function endMute(): void {
    for (const [stranger, since] of strangers) {
      if (clock.now() - since < times.hello) return
      strangers.delete(stranger)
      stranger.close(closeCodes.helloTimeout, 'the first message must be hello')
    }
  }

  function accept(request: IncomingMessage, socket: Duplex, head: Buffer, admitted: Admitted): void {
    server.handleUpgrade(request, socket, head, websocket => {
      strangers.set(websocket, clock.now())
      websocket.on('close', () => strangers.delete(websocket))
      const address = peerAddress(request.socket)
      converseOver({ websocket, socket, address, ...admitted })
    })
  }

  function converseOver(connection: Connection): void {
    const { websocket, socket } = connection
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
      if (session === undefined) session = greet(request)
      else if (request.type === 'hello') fail(unexpected('hello was said already'), undefined)
      else answer(session, request)
    }

    const greet = (request: Request): Session | undefined => {
      strangers.delete(websocket)
      try {
        return welcome(connection, wire, request)
      } catch (thrown) {
        fail(toFault(thrown), undefined)
        websocket.close(closeCodes.protocol, 'hello was not accepted')
        return undefined
      }
    }

    const answer = (to: Session, request: Parameters<Converse>[1]): void => {
      const seq = 'seq' in request ? request.seq : undefined
      try {
        const answered = converse(to, request)
        if (answered === undefined) return
        pending += 1
        if (pending >= limits.pending) gate.hold('pending')
        answered
          .catch(thrown => fail(toFault(thrown), seq))
          .finally(() => {
            pending -= 1
            if (pending < limits.pending) gate.release('pending')
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
      if (session !== undefined) liveness.answered(session)
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
    websocket.on('pong', () => session !== undefined && liveness.answered(session))
    websocket.on('error', thrown => log.debug({ err: thrown }, 'session: a connection broke'))
    websocket.on('close', () => session !== undefined && part(session))
    socket.on('drain', () => {
      gate.release('unsent')
      for (const subscription of session?.watches.values() ?? []) subscription.resume()
    })
  }

  function welcome(connection: Connection, wire: Wire, hello: Request): Session {
    const { websocket, identity, secret, address } = connection
    if (!isHello(hello)) throw unexpected('the first message must be hello')
    if (hello.protocol !== protocolVersion) throw wrongVersion(hello.protocol)
    const { id, held } = roster.identify(identity, hello.resume)
    const session: Session = {
      id,
      held,
      identity,
      secret,
      address,
      name: hello.name,
      kind: hello.kind,
      watches: new Map(),
      stopRoutes: undefined,
      send: wire.send,
      push: wire.push,
      ping: frame => wire.push(frame),
      close: (code, reason) => shut(websocket, code, reason),
    }
    roster.add(session)
    liveness.add(session)
    registry.sessionOpened(id)
    wire.send({
      type: 'welcome',
      protocol: protocolVersion,
      session: id,
      epoch: registry.cursor.epoch,
      pingMs: Math.round(liveness.intervalMs),
      leaseMs: times.lease,
    })
    return session
  }

  function part(session: Session): void {
    liveness.remove(session)
    for (const subscription of session.watches.values()) subscription.close()
    session.watches.clear()
    session.stopRoutes?.()
    // That we leave says nothing about those who stay.
    if (roster.remove(session) && !closing) registry.sessionClosed(session.id)
  }

  return {
    accept,
    roster,
    close() {
      closing = true
      clearInterval(sweep)
      liveness.close()
      for (const stranger of strangers.keys()) stranger.terminate()
      for (const session of roster.open.values()) session.close(closeCodes.goingAway, 'the server is closing')
      server.close()
    },
  }
}

interface Connection extends Admitted {
  readonly websocket: WebSocket
  readonly socket: Duplex
  readonly address: string | undefined
}

const closeGraceMs = 1000

/** A goodbye that a dead peer does not answer is cut short. */
function shut(websocket: WebSocket, code: number, reason: string): void {
  websocket.close(code, reason)
  setTimeout(() => websocket.terminate(), closeGraceMs).unref()
}

function isHello(message: Request): message is RequestOf<'hello'> {
  return message.type === 'hello'
}

function unexpected(problem: string): Fault {
  return new Fault('invalid_request', problem, {
    source: 'caller',
    hint: 'docs/protocol.md shows the order of messages',
  })
}

function wrongVersion(version: number): Fault {
  return new Fault('protocol_unsupported', `protocol ${version} is not spoken here`, {
    source: 'caller',
    hint: `this server speaks protocol ${protocolVersion}`,
  })
}
