import { readdirSync, readFileSync } from 'node:fs'

/**
 * Seconds that a process has been on a processor: of all threads that it has now. To the nanosecond, where the usual
 * counters know hundredths of a second: too coarse for what takes 1 % of a core for ten seconds.
 */
function onProcessor(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [ns = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    return sum + Number(ns) / 1e9
  }, 0)
}

/** Seconds that these processes have used, by name. */
function cpuSeconds<Name extends string>(
  pids: Readonly<Record<Name, readonly number[]>>,
): Record<Name, number> {
  const seconds = {} as Record<Name, number>
  for (const name of Object.keys(pids) as Name[]) {
    seconds[name] = pids[name].reduce((sum, pid) => sum + onProcessor(pid), 0)
  }
  return seconds
}

/** CPU seconds a second of each, over a window in which `during` is awaited. */
export async function coresDuring<Name extends string>(
  pids: Readonly<Record<Name, readonly number[]>>,
  during: () => Promise<unknown>,
): Promise<Record<Name, number>> {
  const start = performance.now()
  const before = cpuSeconds(pids)
  await during()
  const after = cpuSeconds(pids)
  const seconds = (performance.now() - start) / 1000
  const cores = {} as Record<Name, number>
  for (const name of Object.keys(pids) as Name[]) cores[name] = (after[name] - before[name]) / seconds
  return cores
}
