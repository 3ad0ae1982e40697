import { type Command, globalOptions, type OptionSpec } from './command.ts'
import { argumentText } from './program.ts'

const introduction = `# Command line

\`portolan COMMAND\`. \`portolan COMMAND --help\` says the same as this page.

- Answers go to stdout, everything else to stderr. \`--json\` makes answers (and errors) JSON.
- Exit status: 0 = done; 1 = no (it failed, or the answer is no); 2 = called wrongly. \`run\` passes on the status of
  its program.
- Colours only on a terminal, and never with \`NO_COLOR\`.
- Errors end with a code in brackets; [errors.md](errors.md) explains each.
`

/** docs/cli.md, whole, made of the table of commands. */
export function cliPage(commands: readonly Command[]): string {
  const options = `## Options of every command\n\n${optionTable(globalOptions)}`
  return [introduction, options, ...commands.map(section)].join('\n')
}

function section(command: Command): string {
  const args = (command.args ?? []).map(argument => ` ${argumentText(argument)}`).join('')
  const sentence = `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`
  const examples = command.examples.map(([line, meaning]) => `${line}   # ${meaning}`).join('\n')
  return [
    `## \`portolan ${command.name}\`\n`,
    `${sentence}${command.details === undefined ? '' : ` ${command.details}`}\n`,
    `\`\`\`\nportolan ${command.name}${args}${command.options === undefined ? '' : ' [options]'}\n\`\`\`\n`,
    ...(command.args === undefined ? [] : [argumentTable(command)]),
    ...(command.options === undefined ? [] : [optionTable(command.options)]),
    `\`\`\`sh\n${examples}\n\`\`\`\n`,
  ].join('\n')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

function argumentTable({ args = [] }: Command): string {
  const rows = args.map(({ name, summary }) => `| \`${name}\` | ${cell(summary)} |\n`)
  return `| argument | |\n| --- | --- |\n${rows.join('')}`
}

function optionTable(options: readonly OptionSpec[]): string {
  const rows = options.map(({ flags, summary, fallback }) => {
    const standing = fallback === undefined ? '' : ` (default: \`${fallback}\`)`
    return `| \`${flags}\` | ${cell(summary)}${standing} |\n`
  })
  return `| option | |\n| --- | --- |\n${rows.join('')}`
}
