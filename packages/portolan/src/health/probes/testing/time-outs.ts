import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { scriptProbe } from '../script.ts'
import { misbehaving } from './misbehaving.ts'
import { probedInstance, processesWith, scriptCheck, zombies } from './scripts.ts'

export interface TimeOuts {
  readonly checks: number
  readonly seconds: number
  /** Processes of scripts and zombies that were left once the last time-out was over, and after `close`. */
  readonly leaked: number
  readonly leakedAfterClose: number
  /** Open descriptors and resident memory, at a tenth of the way and at the end. */
  readonly descriptors: readonly [early: number, late: number]
  readonly residentMb: readonly [early: number, late: number]
  /** Our own processor time for each, in milliseconds; that of the scripts not counted. */
  readonly cpuMs: number
  /** The longest that our own event loop was kept busy at a stretch, in milliseconds. */
  readonly longestBlockMs: number
}

export interface TimeOutsOptions {
  readonly checks: number
  /** How long each may run. */
  readonly timeoutMs: number
  readonly concurrency: number
  readonly say?: (progress: string) => void
}

/** Runs so many scripts that all time out, and counts what they leave behind. */
export async function timeOuts(options: TimeOutsOptions): Promise<TimeOuts> {
  const { checks, timeoutMs, concurrency, say = () => {} } = options
  // A number that no other process sleeps for.
  const mark = `9${process.pid}${Math.floor(performance.now())}`
  const texts = misbehaving(mark)
  const probe = scriptProbe({ env: process.env, concurrency })
  let early: readonly [number, number] | undefined
  let longestBlockMs = 0
  let last = performance.now()
  const beat = setInterval(() => {
    const now = performance.now()
    longestBlockMs = Math.max(longestBlockMs, now - last - 5)
    last = now
  }, 5)

  const began = performance.now()
  const cpuBefore = process.cpuUsage()
  let next = 0
  let ended = 0
  const worker = async (): Promise<void> => {
    while (next < checks) {
      const text = texts[next++ % texts.length]?.[1] ?? ''
      const target = { instance: probedInstance, check: scriptCheck(['/bin/sh', '-c', text]), fresh: false }
      const running = probe.start(target, ({ reason }) => {
        throw new Error(`a script that never ends has ended: ${reason}`)
      })
      while (running.waiting === true) await pause(1)
      await pause(timeoutMs)
      running.cancel()
      ended++
      if (ended === Math.ceil(checks / 10)) early = measure()
      if (ended % 500 === 0) say(`${ended} of ${checks}`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const { user, system } = process.cpuUsage(cpuBefore)
  // What follows reads the whole process table at once.
  clearInterval(beat)
  const leaked = await settled(() => processesWith(mark).length + zombies().length)
  const late = measure()
  const seconds = (performance.now() - began) / 1000
  await probe.close()
  const leakedAfterClose = processesWith(mark).length + zombies().length
  const [before, after] = [early ?? late, late]
  return {
    checks,
    seconds,
    leaked,
    leakedAfterClose,
    descriptors: [before[0], after[0]],
    residentMb: [before[1], after[1]],
    cpuMs: (user + system) / 1000 / checks,
    longestBlockMs,
  }
}

function measure(): readonly [descriptors: number, residentMb: number] {
  return [readdirSync('/proc/self/fd').length, process.memoryUsage.rss() / 2 ** 20]
}

/** The count once it is 0, or what it still is after five seconds. */
async function settled(count: () => number): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    if (count() === 0) return 0
    await pause(10)
  }
  return count()
}
