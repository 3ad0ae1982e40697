import { connect } from '@portolan/client'
import type { DnsPeers } from '../peers/dns/peers.ts'
import { quantile, round } from '../row.ts'
import { addressOf, openAsker } from './question.ts'

/** Of the whole registry. */
export const changesPerSecond = 50
/** A change in so many is looked for in the answers. */
const watchedEach = 10
/** How many services have a second instance at a time. */
const guests = changesPerSecond

export interface Changes {
  /** What was changed while it was going on. */
  figures(): Readonly<Record<string, unknown>>
  [Symbol.asyncDispose](): Promise<void>
}

/** Calls `change` so many times a second, whatever it takes; it must not fail. */
function steadily(change: (number: number) => Promise<void>) {
  const from = performance.now()
  let begun = 0
  let done = 0
  let failure: unknown
  const open = new Set<Promise<void>>()
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - from) * changesPerSecond) / 1000)
    while (begun < due) {
      const one = change(begun++).then(
        () => {
          done += 1
        },
        thrown => {
          failure ??= thrown
        },
      )
      open.add(one)
      void one.finally(() => open.delete(one))
    }
  }, 5)
  return {
    perSecond: () => round((done * 1000) / (performance.now() - from), 1),
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      if (failure !== undefined) throw failure
    },
  }
}

/**
 * Half of the changes give a service a second instance, over a session; the other half take the oldest such one away
 * again: every service always has one, and the answer for its name changes with each.
 */
export async function changeOurs(url: string, port: number, services: number): Promise<Changes> {
  const portolan = await connect(url)
  const asker = openAsker(port)
  const leases: Awaited<ReturnType<typeof portolan.register>>[] = []
  const seenMs: number[] = []
  const register = async (number: number): Promise<void> => {
    const service = `s${(number * 7) % services}`
    const address = addressOf('10.1', number % 60_000)
    const sentAt = performance.now()
    const registering = portolan.register({ service, id: `guest-${number}`, address, port: 8080, checks: [] })
    if (number % watchedEach === 0) {
      const question = { name: `${service}.portolan`, type: 'A' } as const
      while (!(await asker.ask(question)).answers.includes(address))
        if (performance.now() - sentAt > 10_000) throw new Error(`${address} is never answered`)
      seenMs.push(performance.now() - sentAt)
    }
    leases.push(await registering)
  }
  const steady = steadily(async number => {
    if (number % 2 === 0 || leases.length < guests / 2) return register(number)
    await leases.shift()?.deregister()
  })
  return {
    figures: () => ({
      changesPerSecond: steady.perSecond(),
      msUntilAnswered:
        seenMs.length === 0
          ? undefined
          : { p50: round(quantile(seenMs, 0.5), 1), p99: round(quantile(seenMs, 0.99), 1) },
    }),
    async [Symbol.asyncDispose]() {
      try {
        await steady.stop()
      } finally {
        asker[Symbol.dispose]()
        await Promise.all(leases.map(lease => lease.deregister()))
        await portolan.close({ graceMs: 0 })
      }
    },
  }
}

/** As much for unbound: a name's address is taken away and given anew. dnsmasq reads its files again at best. */
export async function changeUnbound(peers: DnsPeers, names: number): Promise<Changes> {
  const steady = steadily(number =>
    peers.changeUnbound((number * 7) % names, addressOf('10.1', number % 60_000)),
  )
  return {
    figures: () => ({ changesPerSecond: steady.perSecond() }),
    [Symbol.asyncDispose]: () => steady.stop(),
  }
}
