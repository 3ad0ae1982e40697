import { readFileSync } from 'node:fs'

/** A name server under test. */
export interface DnsTarget {
  readonly name: string
  readonly port: number
  /** Every process whose CPU time goes into its answers. */
  readonly pids: readonly number[]
  /** What dnsperf asks it: a line a question. */
  readonly queries: string
}

const ticksPerSecond = 100

/** Microseconds of user and system time that these processes have used. */
export function cpuUs(pids: readonly number[]): number {
  const ticks = pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
  return (ticks * 1e6) / ticksPerSecond
}

/** Resident, in MiB. */
export function residentMib(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return sum + Number(kib) / 1024
  }, 0)
}
