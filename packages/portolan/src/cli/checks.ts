import { resolve } from 'node:path'
import { checkDefaults, formatDuration, shortestIntervalMs } from '@portolan/core'
import { checkLimits } from '../config/sections/health-checks.ts'
import type { ProgramCheck } from '../workloads/program-checks.ts'
import { durationOption, type Invocation, listOption, usage } from './command.ts'
import { splitWords } from './text/words.ts'

const defaultIntervalMs = 5000
/** One place of an instance's checks is the connection's. */
const mostChecks = checkLimits.checks - 1

/**
 * What `--check` and `--check-command` ask for. Programs with a slash in their name are found from `cwd`.
 * @throws Fault `invalid_request` that names the option
 */
export function programChecks(invocation: Invocation, cwd: string): readonly ProgramCheck[] {
  const commands = [
    ...listOption(invocation, 'check').map(line =>
      checkedCommand(splitWords(line, '--check'), '--check', line),
    ),
    ...listOption(invocation, 'checkCommand').map(text =>
      checkedCommand(readArray(text), '--check-command', text),
    ),
  ]
  if (commands.length > mostChecks) throw usage(`${commands.length} checks`, `${mostChecks} at most`)
  const times = timesOf(invocation)
  return commands.map(([program, ...args], index) => ({
    id: index === 0 ? 'check' : `check-${index + 1}`,
    command: [program.includes('/') ? resolve(cwd, program) : program, ...args],
    ...times,
  }))
}

function checkedCommand(
  words: readonly string[],
  option: string,
  said: string,
): readonly [string, ...string[]] {
  const [program = '', ...args] = words
  if (program === '')
    throw usage(`${option} ${said}: names no program`, 'write the program and its arguments')
  if (words.some(word => word.includes('\0'))) throw usage(`${option}: a word cannot hold a NUL character`)
  return [program, ...args]
}

function readArray(text: string): readonly string[] {
  const hint = `write it like --check-command '["./check.sh", "a b"]'`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw usage(`--check-command ${text}: not JSON`, hint)
  }
  if (Array.isArray(value) && value.every(word => typeof word === 'string')) return value
  throw usage(`--check-command ${text}: not an array of strings`, hint)
}

function timesOf(invocation: Invocation): Pick<ProgramCheck, 'intervalMs' | 'timeoutMs'> {
  const intervalMs = durationOption(invocation, 'checkInterval') ?? defaultIntervalMs
  if (intervalMs < shortestIntervalMs || intervalMs > checkLimits.longestIntervalMs / 4) {
    const [least, most] = [shortestIntervalMs, checkLimits.longestIntervalMs / 4].map(formatDuration)
    throw usage(`--check-interval ${formatDuration(intervalMs)}`, `from ${least} to ${most}`)
  }
  const timeoutMs =
    durationOption(invocation, 'checkTimeout') ??
    Math.min(checkDefaults.scriptTimeoutMs, Math.floor(intervalMs / 2))
  if (timeoutMs <= 0 || timeoutMs >= intervalMs) {
    const late = formatDuration(timeoutMs)
    throw usage(
      `--check-timeout ${late}: no less than the interval, ${formatDuration(intervalMs)}`,
      'one run ends before the next',
    )
  }
  return { intervalMs, timeoutMs }
}
