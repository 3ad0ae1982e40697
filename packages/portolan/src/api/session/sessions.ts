import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Fault, type InstanceName, protocolVersion } from '@portolan/core'
import { type WebSocket, WebSocketServer } from 'ws'
import type { HeardAgo } from '../../health/health.ts'
import type { Identity } from '../../registry/access/access.ts'
import { peerAddress } from '../body/peer.ts'
import type { ApiContext } from '../context.ts'
import { openConnection, unexpected } from './connection.ts'
import { openConversation } from './conversation.ts'
import { openLiveness } from './liveness.ts'
import type { Request, RequestOf } from './requests.ts'
import { openRoster, type Roster } from './roster.ts'
import { closeCodes, instanceKey, type Session } from './session.ts'
import { openShares } from './shares.ts'
import type { Wire } from './wire.ts'

/** A websocket that was let in. */
export interface Admitted {
  readonly identity: Identity
  readonly secret: string | undefined
}

/** The session websocket: `GET /api/v1/session`. */
export interface Sessions {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, admitted: Admitted): void
  readonly roster: Roster
  readonly heardAgo: HeardAgo
  close(): void
}

export function openSessions(context: ApiContext): Sessions {
  const { registry, access, clock, limits, times, metrics } = context
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: limits.frame,
  })
  const roster = openRoster(clock, times.lease)
  const shares = openShares(context.routes, clock)
  const converse = openConversation(context, roster, shares)
  let closing = false
  const strangers = new Map<WebSocket, number>()
  /** What the silent ones had registered when they fell silent. */
  const atStake = new WeakMap<Session, readonly InstanceName[]>()
  const liveness = openLiveness<Session>(times, clock, {
    onSilent(session) {
      metrics.silences.inc()
      if (!isCurrent(session)) return
      atStake.set(session, [...session.held.values()].filter(isRegistered))
      registry.sessionSilent(session.id)
    },
    onAnswered(session) {
      if (!isCurrent(session)) return
      registry.sessionAnswered(session.id)
      // Only over a new connection does a client register anew what it takes to be registered.
      const isLost = (name: InstanceName) => session.held.has(instanceKey(name)) && !isRegistered(name)
      if (atStake.get(session)?.some(isLost)) {
        session.close(closeCodes.removed, 'an instance of this session was removed while it was silent')
      }
      atStake.delete(session)
    },
    onLost: session => session.close(closeCodes.silent, 'no pong within the time of a lease'),
    onLag: ms => metrics.loopLag.inc(ms / 1000),
  })
  const sweep = setInterval(
    () => {
      endRevoked()
      endMute()
    },
    Math.min(times.recheck, times.hello),
  )
  sweep.unref()

  function isRegistered(name: InstanceName): boolean {
    return registry.find(name) !== undefined
  }

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
      openConnection(
        { websocket, socket },
        {
          context,
          converse,
          welcome: (wire, hello) => {
            strangers.delete(websocket)
            return welcome({ websocket, address, ...admitted }, wire, hello)
          },
          answered(session) {
            session.heardAt = clock.now()
            liveness.answered(session)
          },
          part,
        },
      )
    })
  }

  function welcome(arrival: Arrival, wire: Wire, hello: Request): Session {
    const { websocket, identity, secret, address } = arrival
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
      catalogue: undefined,
      heardAt: clock.now(),
      get unsent() {
        return wire.unsent
      },
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

  function part(session: Session, how: 'broken' | undefined): void {
    liveness.remove(session)
    for (const subscription of session.watches.values()) subscription.close(how)
    session.watches.clear()
    session.stopRoutes?.()
    session.catalogue?.close()
    shares.part(session, how)
    // That we leave says nothing about those who stay.
    if (roster.remove(session) && !closing) registry.sessionClosed(session.id)
  }

  return {
    accept,
    roster,
    heardAgo(name) {
      const holder = roster.holderOf(name)
      // That an agent answers says nothing of the program that it started.
      return holder === undefined || holder.kind === 'agent' ? undefined : clock.now() - holder.heardAt
    },
    close() {
      closing = true
      clearInterval(sweep)
      liveness.close()
      shares.close()
      for (const stranger of strangers.keys()) stranger.terminate()
      for (const session of roster.open.values()) session.close(closeCodes.goingAway, 'the server is closing')
      server.close()
    },
  }
}

/** Who has come, before the hello. */
interface Arrival extends Admitted {
  readonly websocket: WebSocket
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

function wrongVersion(version: number): Fault {
  return new Fault('protocol_unsupported', `protocol ${version} is not spoken here`, {
    source: 'caller',
    hint: `this server speaks protocol ${protocolVersion}`,
  })
}
