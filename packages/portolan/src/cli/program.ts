import { type Fault, toFault } from '@portolan/core'
import { Command as Commander, CommanderError } from 'commander'
import {
  type ArgumentSpec,
  type Command,
  type ExitCode,
  globalOptions,
  type Io,
  type OptionSpec,
} from './command.ts'
import { faultJson, formatFault } from './text/fault.ts'

const families: Readonly<Record<string, string>> = {
  token: 'Make, list and revoke the tokens that callers show.',
}

/**
 * Runs one command line (without node and script) and resolves to the exit status.
 * Never throws: whatever goes wrong is told on `io.err`.
 */
export async function runCommandLine(
  commands: readonly Command[],
  version: string,
  argv: readonly string[],
  io: Io,
): Promise<ExitCode> {
  let exit: ExitCode = 0
  const program = buildProgram(commands, version, io, async (command, args, options) => {
    exit = await command.run({ args, options }, io)
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exit
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    if (io.signal.aborted) return 130
    return report(toFault(thrown), argv.includes('--json'), io)
  }
}

function report(fault: Fault, json: boolean, io: Io): ExitCode {
  io.err(json ? faultJson(fault) : formatFault(fault, io.colours))
  if (fault.code === 'internal' && io.env.PORTOLAN_LOG === 'debug') io.err(`${fault.stack ?? ''}\n`)
  return fault.code === 'invalid_request' ? 2 : 1
}

type Handle = (command: Command, args: readonly string[], options: Record<string, unknown>) => Promise<void>

function buildProgram(commands: readonly Command[], version: string, io: Io, handle: Handle): Commander {
  const program = prepared(new Commander('portolan'), io)
    .description(
      'Service registry and load balancer: knows every live instance, brings each request to the best one.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show what a command does')
    .addHelpText('after', '\nStart here: `portolan up`, then `portolan services` in another terminal.\n')
  for (const option of globalOptions) addOption(program, option)
  for (const command of commands) {
    const words = command.name.split(' ')
    const parent = words.length === 1 ? program : family(program, words[0] ?? '', io)
    addCommand(parent, command, words.at(-1) ?? command.name, io, handle)
  }
  return program
}

function family(program: Commander, name: string, io: Io): Commander {
  const known = program.commands.find(command => command.name() === name)
  if (known !== undefined) return known
  return prepared(program.command(name), io).description(families[name] ?? '')
}

function addCommand(parent: Commander, spec: Command, name: string, io: Io, handle: Handle): void {
  const command = prepared(parent.command(name), io).summary(spec.summary).description(descriptionOf(spec))
  for (const argument of spec.args ?? []) command.argument(argumentText(argument), argument.summary)
  for (const option of spec.options ?? []) addOption(command, option)
  const examples = spec.examples.map(([line, meaning]) => `  $ ${line}\n      ${meaning}\n`).join('')
  command.addHelpText('after', `\nExamples:\n${examples}`)
  command.action(async () => {
    await handle(spec, command.args, command.optsWithGlobals())
  })
}

function prepared(command: Commander, io: Io): Commander {
  return command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help shows how it is called)')
    .configureOutput({
      writeOut: text => io.out(text),
      writeErr: text => io.err(text),
      getOutHasColors: () => io.colours,
      getErrHasColors: () => io.colours,
    })
}

function descriptionOf({ summary, details }: Command): string {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
  return details === undefined ? sentence : `${sentence}\n${details}`
}

export function argumentText({ name, optional, variadic }: ArgumentSpec): string {
  const text = variadic === true ? `${name}...` : name
  return optional === true ? `[${text}]` : `<${text}>`
}

function addOption(command: Commander, { flags, summary, fallback, repeated }: OptionSpec): void {
  if (repeated === true) {
    command.option(flags, summary, (value: string, earlier: readonly string[] = []) => [...earlier, value])
  } else command.option(flags, summary, fallback)
}
