import {
  comparedAtOnce,
  confirmedCount,
  type Fault,
  formatCursor,
  type HeldView,
  type Milliseconds,
  type ServiceName,
  type ServiceView,
  toFault,
} from '@portolan/core'
import type { Cancel, LocalRuntime } from './runtime.ts'
import type { Link } from './session/link.ts'

/** Whose view it is that is compared with the registry's. */
export interface Compared {
  readonly name: ServiceName
  /** As it is when its turn comes. */
  readonly view: ServiceView
}

/** Compares views with the registry's over and over, for as long as one connection lasts. */
export interface Comparisons {
  /** Over this connection, from now on. */
  begin(compared: Compared, link: Link): void
  end(compared: Compared): void
  /** Ends all: the connection is over. */
  clear(): void
}

/** A view compares itself with the registry's every 5 to 10 s, jittered so that clients don't meet. */
const everyMs = 5000
/** What falls due in one tick is asked in one message. */
const tickMs = 250
/** More than 25,000 views take so much longer that all together stay far below what a registry reads of a session, … */
const eachMs = 0.2
/** … as do more than 2,500 that an older registry has to be asked one by one. */
const eachAloneMs = 2

/**
 * A wheel of ticks with one timer, for the next tick in which something is due. When a view differs from the
 * registry's, what mends it comes before the answer and goes the way of every snapshot and delta.
 */
export function openComparisons(
  { clock, random, timers }: LocalRuntime,
  onFault: (fault: Fault) => void,
): Comparisons {
  /** By the number of their tick. */
  const due = new Map<number, Set<Compared>>()
  /** In which tick each is due; `undefined` = it is asked right now. */
  const ticks = new Map<Compared, number | undefined>()
  let current: Link | undefined
  /** What this connection's registry has turned out to be. */
  let knowsAll = true
  let armed: number | undefined
  let stop: Cancel = () => {}

  const arm = () => {
    const next = due.size === 0 ? undefined : Math.min(...due.keys())
    if (next === armed) return
    stop()
    armed = next
    if (next !== undefined) {
      stop = timers.after(Math.max(1, next * tickMs - clock.now()), turn, 'background')
    }
  }

  const put = (compared: Compared) => {
    const ms: Milliseconds = Math.max(everyMs, ticks.size * (knowsAll ? eachMs : eachAloneMs))
    const tick = Math.ceil((clock.now() + ms * (1 + random())) / tickMs)
    const same = due.get(tick)
    if (same === undefined) due.set(tick, new Set([compared]))
    else same.add(compared)
    ticks.set(compared, tick)
  }

  const take = (compared: Compared) => {
    const tick = ticks.get(compared)
    ticks.delete(compared)
    if (tick === undefined) return
    const same = due.get(tick)
    same?.delete(compared)
    if (same?.size === 0) due.delete(tick)
  }

  const turn = () => {
    armed = undefined
    const link = current
    // Timers may fire a little early, and late by any time.
    const now = Math.floor((clock.now() + 1) / tickMs)
    const batch: Compared[] = []
    for (const [tick, same] of due) {
      if (tick > now) continue
      due.delete(tick)
      for (const compared of same) {
        ticks.set(compared, undefined)
        batch.push(compared)
      }
    }
    if (link !== undefined) ask(batch, link)
    arm()
  }

  const ask = (batch: readonly Compared[], link: Link) => {
    // A lone view needs no list, and every registry knows how to compare it.
    if (!knowsAll || batch.length === 1) {
      for (const compared of batch) void askOne(compared, link)
      return
    }
    for (let from = 0; from < batch.length; from += comparedAtOnce) {
      void askAll(batch.slice(from, from + comparedAtOnce), link)
    }
  }

  const askAll = async (batch: readonly Compared[], link: Link): Promise<void> => {
    try {
      await link.request({ type: 'compare-all', views: batch.map(held) })
    } catch (thrown) {
      if (current !== link) return
      const fault = toFault(thrown)
      if (fault.code === 'invalid_request') {
        // An older registry, which will not learn it while this connection lasts.
        knowsAll = false
        ask(batch.filter(isAsked), link)
        return
      }
      onFault(fault)
    }
    if (current === link) again(batch)
  }

  const askOne = async (compared: Compared, link: Link): Promise<void> => {
    try {
      await link.request({ type: 'compare', ...held(compared) })
    } catch (thrown) {
      if (current === link && isAsked(compared)) onFault(toFault(thrown))
    }
    if (current === link) again([compared])
  }

  const isAsked = (compared: Compared) => ticks.has(compared) && ticks.get(compared) === undefined

  const again = (batch: readonly Compared[]) => {
    for (const compared of batch) if (isAsked(compared)) put(compared)
    arm()
  }

  const clear = () => {
    current = undefined
    due.clear()
    ticks.clear()
    arm()
  }

  return {
    begin(compared, link) {
      if (current !== link) {
        clear()
        current = link
        knowsAll = true
      }
      take(compared)
      put(compared)
      arm()
    },
    end(compared) {
      take(compared)
      arm()
    },
    clear,
  }
}

function held({ name, view }: Compared): HeldView {
  return { ...name, cursor: formatCursor(view.set.cursor), count: confirmedCount(view) }
}
