import { defaultNamespace, Fault, parseDuration } from '@portolan/core'

/** What a command ends with: 0 = done, 1 = no (a fault, a problem found), 2 = asked wrongly; `run` passes others on. */
export type ExitCode = number

/** What a command sees of the world, so that tests call it without a process. */
export interface Io {
  /** Answers: stdout. */
  out(text: string): void
  /** Everything that is no answer: progress, warnings, errors. */
  err(text: string): void
  /** Whether somebody watches stderr live, who may be shown progress. */
  readonly live: boolean
  readonly colours: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
}

/** What was asked for, as the command line said it. */
export interface Invocation {
  readonly args: readonly string[]
  /** By long name in camel case: the command's own options and the global ones. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface ArgumentSpec {
  /** In capitals, as the help shows it. */
  readonly name: string
  readonly summary: string
  readonly optional?: boolean
  /** Takes all that follows. */
  readonly variadic?: boolean
}

export interface OptionSpec {
  /** As commander reads it: `--grace <duration>`. */
  readonly flags: string
  readonly summary: string
  readonly fallback?: string
  /** May be given several times. */
  readonly repeated?: boolean
}

/** One command. Parsing, help and docs/cli.md are made of this. */
export interface Command {
  /** `services`, or `token create` for one of a family. */
  readonly name: string
  readonly summary: string
  /** What more there is to know, in whole sentences. */
  readonly details?: string
  readonly args?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  run(invocation: Invocation, io: Io): Promise<ExitCode>
}

/** The options that every command understands. */
export const globalOptions: readonly OptionSpec[] = [
  {
    flags: '--url <url>',
    summary: 'the registry to ask (default: PORTOLAN_URL, else http://127.0.0.1:7400)',
  },
  { flags: '--token <token>', summary: 'the token to show (default: PORTOLAN_TOKEN)' },
  { flags: '-n, --namespace <name>', summary: 'the namespace', fallback: defaultNamespace },
  { flags: '--json', summary: 'answer with JSON, for programs' },
]

/** The option's text; `undefined` when it was not given. */
export function textOption({ options }: Invocation, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

export function flagOption({ options }: Invocation, name: string): boolean {
  return options[name] === true
}

/** All values of an option that may be repeated. */
export function listOption({ options }: Invocation, name: string): readonly string[] {
  const value = options[name]
  return Array.isArray(value) ? value.map(String) : []
}

/** Milliseconds. @throws Fault `invalid_request` */
export function durationOption(invocation: Invocation, name: string): number | undefined {
  const text = textOption(invocation, name)
  if (text === undefined) return undefined
  try {
    return parseDuration(text)
  } catch {
    throw usage(`--${asTyped(name)} ${text}: not a duration`, 'write a number and a unit: 500ms, 30s, 5m')
  }
}

/** A number from `least` to `most`. @throws Fault `invalid_request` */
export function numberOption(
  invocation: Invocation,
  name: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = textOption(invocation, name)
  return text === undefined ? undefined : readNumber(text, `--${asTyped(name)}`, [least, most])
}

/** A whole number from `least` to `most`. @throws Fault `invalid_request` */
export function wholeOption(
  invocation: Invocation,
  name: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = textOption(invocation, name)
  if (text === undefined) return undefined
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw usage(`--${asTyped(name)} ${text}: not a whole number from ${least} to ${most}`)
}

/** `checkInterval`, as command lines have it: `check-interval`. */
function asTyped(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** @throws Fault `invalid_request` */
function readNumber(text: string, what: string, [least, most]: readonly [number, number]): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most) return value
  throw usage(`${what} ${text}: not a number from ${least} to ${most}`)
}

export function namespaceOf(invocation: Invocation): string {
  return textOption(invocation, 'namespace') ?? defaultNamespace
}

export function wantsJson(invocation: Invocation): boolean {
  return flagOption(invocation, 'json')
}

/** The command was called wrongly: exit status 2. */
export function usage(message: string, hint?: string): Fault {
  const details = { source: 'caller' } as const
  return new Fault('invalid_request', message, hint === undefined ? details : { ...details, hint })
}
