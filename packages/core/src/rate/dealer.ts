import type { Milliseconds } from '../time/clock.ts'
import type { RateDemand, RateLimit, RateShare } from './limit.ts'

/** Who asks for a part of a limit. */
export interface Claim {
  /** Requests a second; infinite: not known yet. */
  readonly demand: number
  /** It gets no more for now. */
  readonly atMost: number
}

/** Of what is asked for, so much on top: demand is measured, and chance would turn some away. */
const headRoom = 1.01
/** Of the limit, so much is for those together who ask for nothing: their first request must not wait for a share. */
const forTheIdle = 0.005

/**
 * Max-min fairness (Bertsekas and Gallager, Data Networks, section 6.5.2): nobody gets less than another one who gets more
 * than he asked for. What is left when all have what they asked for is dealt out evenly. The sum is at most `qps`.
 */
export function dealOut(qps: number, claims: readonly Claim[]): readonly number[] {
  const least = (qps * forTheIdle) / claims.length
  const wants = claims.map(({ demand, atMost }) => Math.min(Math.max(demand * headRoom, least), atMost))
  const shares = wants.map(() => 0)
  const order = wants.map((_, index) => index).sort((a, b) => (wants[a] ?? 0) - (wants[b] ?? 0))
  let left = qps
  order.forEach((index, before) => {
    const share = Math.min(wants[index] ?? 0, left / (order.length - before))
    shares[index] = share
    left -= share
  })
  const more = Math.max(0, left) / claims.length
  return shares.map((share, index) => Math.min(share + more, claims[index]?.atMost ?? 0))
}

/** One gateway as the dealer knows it. */
interface Member {
  heardAt: Milliseconds
  demand: number
  /** What it has saved up, as far as is known, and when that was. */
  tokens: number
  tokensAt: Milliseconds
  /** What it came with, from before this dealer's time. */
  readonly held: number
  share: RateLimit
}

export interface Dealt {
  readonly id: string
  readonly share: RateShare
}

/** Silent for so long, a gateway's share goes to the others. */
const silentMs: Milliseconds = 3000
/** Whoever comes with a share, in so much time from the beginning, gets no more than that: others come, too. */
const settleMs: Milliseconds = 3000
/** Of an even share: less is no news. */
const noNews = 0.01

/**
 * Deals one limit out to the gateways that ask for it, by demand: their rates add up to its qps, and their bursts to its
 * burst. A newcomer counts as one that asks for more than it can get, until it says otherwise. Tokens that a gateway gives
 * back, because its part of the burst has shrunk, go to those who lack some, so that moving the limit costs nobody any.
 */
export class Dealer {
  #limit: RateLimit
  readonly #members = new Map<string, Member>()
  readonly #beganAt: Milliseconds
  /** Tokens that nobody has. */
  #pool: number
  #emptySince: Milliseconds
  #hasBegun = false

  constructor(limit: RateLimit, now: Milliseconds) {
    this.#limit = limit
    this.#pool = limit.burst
    this.#beganAt = now
    this.#emptySince = now
  }

  get size(): number {
    return this.#members.size
  }

  /** How long from one `deal` to the next: many gateways are told less often, so that telling them stays cheap. */
  get pauseMs(): Milliseconds {
    return Math.max(50, 5 * this.#members.size)
  }

  configure(limit: RateLimit): void {
    this.#limit = limit
    this.#pool = Math.min(this.#pool, limit.burst)
  }

  /** Takes what a gateway says. Returns whether it is a newcomer: he goes by the whole limit until he is dealt a share. */
  hear(id: string, { perSecond, tokens, back = 0, qps }: RateDemand, now: Milliseconds): boolean {
    const { burst } = this.#limit
    if (this.#members.size === 0) this.#refill(now, qps !== undefined)
    this.#pool = Math.min(burst, this.#pool + back)
    const known = this.#members.get(id)
    const member = known ?? {
      heardAt: now,
      demand: 0,
      tokens: 0,
      tokensAt: now,
      held: qps ?? Number.POSITIVE_INFINITY,
      share: { qps: 0, burst: 0 },
    }
    member.heardAt = now
    member.demand = perSecond ?? Number.POSITIVE_INFINITY
    member.tokens = tokens
    member.tokensAt = now
    this.#members.set(id, member)
    return known === undefined
  }

  /** It has gone. */
  leave(id: string, now: Milliseconds): void {
    if (this.#members.delete(id) && this.#members.size === 0) this.#emptySince = now
  }

  /** Those who have been silent for too long have gone. To be called about once a second. */
  expire(now: Milliseconds): void {
    for (const [id, { heardAt }] of this.#members) if (now - heardAt > silentMs) this.leave(id, now)
  }

  /** Everybody's share, where there is news. */
  deal(now: Milliseconds): readonly Dealt[] {
    if (this.#members.size === 0) return []
    const members = [...this.#members]
    let saved = 0
    for (const [, member] of members) {
      age(member, now)
      saved += member.tokens
    }
    // What was given back may have filled up elsewhere meanwhile.
    this.#pool = Math.max(0, Math.min(this.#pool, this.#limit.burst - saved))
    const shares = this.#shares(now)
    const grants = this.#grants(shares)
    const even = this.#limit.qps / members.length
    const evenBurst = this.#limit.burst / members.length
    const isNews = members.some(([, { share }], index) => {
      const next = shares[index] ?? share
      if ((grants[index] ?? 0) > 0) return true
      const off = Math.abs(next.qps - share.qps) / even
      return off > noNews || Math.abs(next.burst - share.burst) > Math.max(1, evenBurst * noNews)
    })
    if (!isNews) return []
    return members.map(([id, member], index) => {
      const tokens = grants[index] ?? 0
      member.share = shares[index] ?? member.share
      member.tokens += tokens
      this.#pool -= tokens
      return { id, share: { ...member.share, ...(tokens > 0 ? { tokens } : {}) } }
    })
  }

  /** While there was nobody, it filled up; those who come with a share bring what they have. */
  #refill(now: Milliseconds, withShare: boolean): void {
    const { qps, burst } = this.#limit
    if (withShare && !this.#hasBegun) this.#pool = 0
    else this.#pool = Math.min(burst, this.#pool + (qps * (now - this.#emptySince)) / 1000)
    this.#hasBegun = true
  }

  /** Bursts go half by rate and half evenly, so that requests may begin anywhere; by rate alone where the limit is reached. */
  #shares(now: Milliseconds): readonly RateLimit[] {
    const { qps, burst } = this.#limit
    const isSettled = now - this.#beganAt >= settleMs
    const members = [...this.#members.values()]
    const claims = members.map(({ demand, held }) => ({
      demand,
      atMost: isSettled ? Number.POSITIVE_INFINITY : held,
    }))
    const rates = dealOut(qps, claims)
    const wanted = members.reduce((sum, { demand }) => sum + demand, 0)
    const evenly = wanted >= qps ? 0 : burst / 2
    return rates.map(rate => ({
      qps: rate,
      burst: evenly / members.length + ((burst - evenly) * rate) / qps,
    }))
  }

  /** The pool goes to those who are asked for more than they may pass; when there are none, to all who have room. */
  #grants(shares: readonly RateLimit[]): readonly number[] {
    const rooms = [...this.#members.values()].map(({ tokens, demand }, index) => {
      const { qps = 0, burst = 0 } = shares[index] ?? {}
      return { room: Math.max(0, burst - Math.max(0, tokens)), lacks: demand > qps }
    })
    const someLack = rooms.some(({ room, lacks }) => lacks && room > 0)
    const wants = rooms.map(({ room, lacks }) => (someLack && !lacks ? 0 : room))
    const sum = wants.reduce((total, want) => total + want, 0)
    // Crumbs are kept until there is more.
    if (sum <= 0 || Math.min(this.#pool, sum) < 0.01) return wants.map(() => 0)
    const part = Math.min(1, this.#pool / sum)
    return wants.map(want => want * part)
  }
}

/** What it has saved up or spent since it told; one whose demand is not known may have had none. */
function age(member: Member, now: Milliseconds): void {
  const { share, demand, tokensAt } = member
  const more = ((share.qps - (Number.isFinite(demand) ? demand : 0)) * (now - tokensAt)) / 1000
  member.tokens = Math.max(0, Math.min(member.tokens + more, Math.max(1, share.burst)))
  member.tokensAt = now
}
