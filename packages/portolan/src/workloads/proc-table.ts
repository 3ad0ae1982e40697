import { readdirSync, readFileSync } from 'node:fs'
import { Fault } from '@portolan/core'
import { launchVariable } from './environment.ts'

/** What /proc says of a process. Field numbers are those of proc_pid_stat(5). */
export interface ProcessEntry {
  readonly pid: number
  /** Field 3; `Z` is a process that has ended and waits for its parent to ask. */
  readonly state: string
  /** Field 5. */
  readonly group: number
  /** Field 22: clock ticks from boot to its start. With the pid it names a process for good, pids are reused. */
  readonly startTicks: number
}

/** @returns undefined when there is no such process */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

/** Reads one line of /proc/PID/stat. The program's name, in brackets, may itself hold brackets and spaces. */
export function parseStat(line: string): ProcessEntry | undefined {
  const close = line.lastIndexOf(')')
  const pid = Number.parseInt(line, 10)
  const fields = line.slice(close + 2).split(' ')
  const [state = '', , group] = fields
  const startTicks = Number(fields[19])
  if (close < 0 || !Number.isInteger(pid) || !Number.isInteger(startTicks)) return undefined
  return { pid, state, group: Number(group), startTicks }
}

export function hasEnded(entry: ProcessEntry | undefined): boolean {
  return entry === undefined || entry.state === 'Z' || entry.state === 'X'
}

/** Whether the process that was seen with this pid and start time still runs. */
export function stillRuns(pid: number, startTicks: number): boolean {
  const entry = readProcess(pid)
  return entry?.startTicks === startTicks && !hasEnded(entry)
}

/** Start times count from boot: those of another boot say nothing. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

/** The running processes that carry a launch's mark, by launch: its first process and what that has started. */
export function runningByLaunch(): ReadonlyMap<string, readonly ProcessEntry[]> {
  const mark = `${launchVariable}=`
  const found = new Map<string, ProcessEntry[]>()
  for (const entry of runningProcesses()) {
    const launch = environmentOf(entry.pid)
      .find(line => line.startsWith(mark))
      ?.slice(mark.length)
    if (launch !== undefined) found.set(launch, [...(found.get(launch) ?? []), entry])
  }
  return found
}

function runningProcesses(): ProcessEntry[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.flatMap(pid => {
    const entry = readProcess(Number(pid))
    return entry === undefined || hasEnded(entry) ? [] : [entry]
  })
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
  } catch {
    // Another user's process, or one that has just ended: none of ours.
    return []
  }
}

/** Whether a process of this group still runs (one that waits to be reaped does not). */
export function groupRuns(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch {
    return false
  }
  return runningProcesses().some(entry => entry.group === group)
}

/** @throws Fault `workload_failed` where there is no /proc: programs are supervised on Linux only */
export function requireLinux(platform: string = process.platform): void {
  if (platform === 'linux') return
  throw new Fault('workload_failed', `programs can be supervised on Linux only, this is ${platform}`, {
    source: 'caller',
    hint: 'start the program yourself and let it register through @portolan/client',
  })
}
