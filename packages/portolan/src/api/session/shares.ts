import {
  type Clock,
  Dealer,
  type Milliseconds,
  type RateDemand,
  type RateLimit,
  type RouteTable,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import type { RouteSource } from '../context.ts'
import type { Session } from './session.ts'

/** Deals the rate limits of services out to the gateways that ask for them. */
export interface Shares {
  hear(session: Session, service: ServiceName, demand: RateDemand): void
  /** It has gone. One that broke off keeps its shares for some seconds: it goes on by them, and may come back. */
  part(session: Session, how: 'broken' | undefined): void
  close(): void
}

/** One service's limit, and who shares it. */
interface Dealing {
  readonly name: ServiceName
  readonly dealer: Dealer
  readonly sessions: Map<string, Session>
  dealtAt: Milliseconds
  timer: NodeJS.Timeout | undefined
}

const expireEveryMs: Milliseconds = 1000

export function openShares(routes: RouteSource, clock: Clock): Shares {
  const dealings = new Map<string, Dealing>()

  const dealingFor = (name: ServiceName): Dealing | undefined => {
    const key = serviceKey(name)
    const known = dealings.get(key)
    if (known !== undefined) return known
    const limit = limitOf(routes.table, key)
    if (limit === undefined) return undefined
    const now = clock.now()
    const dealing: Dealing = {
      name,
      dealer: new Dealer(limit, now),
      sessions: new Map(),
      dealtAt: Number.NEGATIVE_INFINITY,
      timer: undefined,
    }
    dealings.set(key, dealing)
    return dealing
  }

  /** The first after quiet goes out at once; what follows waits a little, and goes together. */
  const dealSoon = (dealing: Dealing): void => {
    dealIn(dealing, Math.max(0, dealing.dealtAt + dealing.dealer.pauseMs - clock.now()))
  }

  const dealIn = (dealing: Dealing, ms: Milliseconds): void => {
    dealing.timer ??= setTimeout(deal, ms, dealing).unref()
  }

  const deal = (dealing: Dealing): void => {
    const { name, dealer, sessions } = dealing
    const now = clock.now()
    dealing.timer = undefined
    dealing.dealtAt = now
    for (const { id, share } of dealer.deal(now)) {
      sessions.get(id)?.send({ type: 'share', ...name, ...share })
    }
  }

  const end = (key: string, dealing: Dealing): void => {
    clearTimeout(dealing.timer)
    dealings.delete(key)
  }

  const stopRoutes = routes.subscribe(table => {
    for (const [key, dealing] of dealings) {
      const limit = limitOf(table, key)
      if (limit === undefined) end(key, dealing)
      else {
        dealing.dealer.configure(limit)
        dealSoon(dealing)
      }
    }
  })

  let expireAt = clock.now() + expireEveryMs
  const sweep = setInterval(() => {
    const now = clock.now()
    // Where we are late, what they said may wait to be read.
    const isLate = now - expireAt > expireEveryMs / 2
    expireAt = now + expireEveryMs
    for (const dealing of dealings.values()) {
      if (!isLate) dealing.dealer.expire(now)
      dealSoon(dealing)
    }
  }, expireEveryMs).unref()

  return {
    hear(session, service, demand) {
      const dealing = dealingFor(service)
      if (dealing === undefined) return
      dealing.sessions.set(session.id, session)
      const isNew = dealing.dealer.hear(session.id, demand, clock.now())
      if (isNew) {
        clearTimeout(dealing.timer)
        dealing.timer = undefined
        dealIn(dealing, 0)
      } else dealSoon(dealing)
    },
    part(session, how) {
      for (const dealing of dealings.values()) {
        // It may go on over another connection already.
        if (dealing.sessions.get(session.id) !== session) continue
        dealing.sessions.delete(session.id)
        if (how === 'broken') continue
        dealing.dealer.leave(session.id, clock.now())
        dealSoon(dealing)
      }
    },
    close() {
      clearInterval(sweep)
      stopRoutes()
      for (const [key, dealing] of dealings) end(key, dealing)
    },
  }
}

/** Limits by client or header are each gateway's own. */
function limitOf({ rateLimits = {} }: RouteTable, key: string): RateLimit | undefined {
  const limit = Object.hasOwn(rateLimits, key) ? rateLimits[key] : undefined
  return limit?.by === undefined ? limit : undefined
}
