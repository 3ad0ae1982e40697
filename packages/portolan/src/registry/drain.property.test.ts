import type { Cursor, Instance } from '@portolan/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Subscription, ViewChange } from './registry.ts'
import { nameOf, openTested, order, owner, register, type Tested } from './testing/open-tested.ts'
import { settle } from './testing/virtual-time.ts'

/** A caller behind a slow connection: what either side says arrives when the test says so, or never. */
class Caller {
  readonly #tested: Tested
  readonly #who: string
  readonly #view = new Map<string, Instance>()
  readonly #inFlight = new Map<number, number>()
  #cursor: Cursor | undefined
  #inbox: ViewChange[] = []
  #outbox: ((to: Subscription) => void)[] = []
  #subscription: Subscription | undefined

  constructor(tested: Tested, who: string) {
    this.#tested = tested
    this.#who = who
    this.connect()
  }

  connect(): void {
    if (this.#subscription !== undefined) return
    const receive = (change: ViewChange): boolean => {
      this.#inbox.push(change)
      return true
    }
    this.#subscription = this.#tested.registry.subscribe(order, this.#cursor, receive, { who: this.#who })
    this.#acknowledge()
    this.#sayIdle()
  }

  /** What is on its way is lost, both ways. */
  break(): void {
    this.#subscription?.close('broken')
    this.#subscription = undefined
    this.#inbox = []
    this.#outbox = []
  }

  hear(): void {
    const change = this.#inbox.shift()
    if (change === undefined) return
    const before = this.#view.get('a')
    if (change.kind === 'snapshot') this.#view.clear()
    for (const instance of change.kind === 'snapshot' ? change.set.instances : change.put) {
      this.#view.set(instance.id, instance)
    }
    for (const { id } of change.kind === 'delta' ? change.gone : []) this.#view.delete(id)
    this.#cursor = change.set.cursor
    this.#acknowledge()
    if (this.#view.get('a') !== before) this.#sayIdle()
  }

  say(): void {
    const said = this.#outbox.shift()
    if (this.#subscription !== undefined) said?.(this.#subscription)
  }

  pick(): void {
    const instance = this.#view.get('a')
    if (instance === undefined || isDraining(instance)) return
    this.#inFlight.set(instance.incarnation, this.inFlight(instance.incarnation) + 1)
  }

  done(): void {
    for (const [incarnation, count] of this.#inFlight) {
      if (count === 0) continue
      this.#inFlight.set(incarnation, count - 1)
      if (count === 1) this.#sayIdle()
      return
    }
  }

  inFlight(incarnation: number): number {
    return this.#inFlight.get(incarnation) ?? 0
  }

  /** Whether its next request may go to the instance. */
  mayPick(incarnation: number): boolean {
    const instance = this.#view.get('a')
    return instance?.incarnation === incarnation && !isDraining(instance)
  }

  get isBusy(): boolean {
    return this.#inbox.length > 0 || this.#outbox.length > 0 || [...this.#inFlight.values()].some(n => n > 0)
  }

  #acknowledge(): void {
    const cursor = this.#cursor
    if (cursor !== undefined) this.#outbox.push(to => to.acknowledge(cursor))
  }

  #sayIdle(): void {
    const instance = this.#view.get('a')
    if (instance === undefined || !isDraining(instance) || this.inFlight(instance.incarnation) > 0) return
    this.#outbox.push(to => to.idle('a', instance.incarnation))
  }
}

function isDraining({ causes }: Instance): boolean {
  return causes.some(({ kind }) => kind === 'draining')
}

const steps = ['hear', 'say', 'pick', 'done', 'break', 'connect'] as const
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom(...steps), who: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'join' as const, who: 0 }) },
  { weight: 2, arbitrary: fc.constant({ do: 'noise' as const, who: 0 }) },
  { weight: 2, arbitrary: fc.constant({ do: 'pass' as const, who: 0 }) },
)

it('a drain lets nobody stop to whom a request may still come, and ends as soon as it can', async () => {
  let waited = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.array(step, { maxLength: 60 }),
      async (before, after) => {
        const tested = await openTested({ settings: { leaseMs: 60_000 } })
        await register(tested, 'a', { tether: 'static' })
        const incarnation = tested.registry.find(nameOf('a'))?.incarnation ?? 0
        const callers = [0, 1, 2].map(index => new Caller(tested, `caller-${index}`))
        let noise = 0
        const take = async (action: (typeof steps)[number] | 'join' | 'noise' | 'pass', who: number) => {
          if (action === 'join') callers.push(new Caller(tested, `caller-${callers.length}`))
          else if (action === 'noise')
            await register(tested, 'b', { tether: 'static', version: `${noise++}` })
          else if (action === 'pass') await tested.time.pass(30)
          else callers[who % callers.length]?.[action]()
          await settle()
        }
        for (const { do: action, who } of before) await take(action, who)

        let drained: boolean | undefined
        const drain = tested.registry.drain(nameOf('a'), owner, 50_000).then(all => {
          drained = all
          for (const caller of callers) {
            expect(caller.inFlight(incarnation)).toBe(0)
            expect(caller.mayPick(incarnation)).toBe(false)
          }
        })
        for (const { do: action, who } of after) {
          if (drained === true) break
          await take(action, who)
        }
        if (drained === undefined) waited++
        for (let round = 0; drained === undefined && round < 200; round++) {
          for (const caller of callers) {
            caller.connect()
            caller.done()
            caller.hear()
            caller.say()
          }
          await tested.time.pass(round < 100 ? 0 : 30)
        }
        await drain
        expect(drained).toBe(true)
        await tested.registry.close()
      },
    ),
    { numRuns: 150 },
  )
  expect(waited).toBeGreaterThan(20)
}, 60_000)
