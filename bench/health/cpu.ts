import { readFileSync } from 'node:fs'

const ticksPerSecond = 100

function statOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
}

/** Seconds of user and system time that these processes have used, by name. */
function cpuSeconds<Name extends string>(
  pids: Readonly<Record<Name, readonly number[]>>,
): Record<Name, number> {
  const seconds = {} as Record<Name, number>
  for (const name of Object.keys(pids) as Name[]) {
    seconds[name] = pids[name].reduce((sum, pid) => {
      const fields = statOf(pid)
      return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    }, 0)
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
