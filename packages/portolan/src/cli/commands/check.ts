import { relative, resolve } from 'node:path'
import { toFault } from '@portolan/core'
import { readConfig, readText } from '../../config/load.ts'
import { formatProblem, type Problem } from '../../config/problem.ts'
import { type Command, type Io, usage, wantsJson } from '../command.ts'
import { paint } from '../text/colour.ts'

export const check: Command = {
  name: 'check',
  summary: 'say all that is wrong with a configuration file, and where',
  details:
    'Ends with 0 when the file holds (warnings or not), with 1 when it does not, with 2 when it cannot be read.',
  args: [{ name: 'FILE', summary: 'the file (default: portolan.yaml)', optional: true }],
  examples: [
    ['portolan check portolan.yaml', 'before a reload, or in a pipeline'],
    ['portolan check --json | jq -r .problems[].message', 'for programs'],
  ],
  async run(invocation, io) {
    const [name = 'portolan.yaml'] = invocation.args
    const text = await textOf(resolve(io.cwd, name))
    const reading = readConfig(text, name)
    const problems = reading.ok ? [] : reading.problems
    const warnings = reading.ok ? reading.loaded.warnings : reading.warnings
    if (wantsJson(invocation)) io.out(`${JSON.stringify({ ok: reading.ok, problems, warnings })}\n`)
    else tell(name, problems, warnings, io)
    return reading.ok ? 0 : 1
  },
}

async function textOf(path: string): Promise<string> {
  try {
    return await readText(path)
  } catch (thrown) {
    const { message, hint } = toFault(thrown)
    throw usage(message.replace(path, relative('.', path) || path), hint)
  }
}

function tell(name: string, problems: readonly Problem[], warnings: readonly Problem[], io: Io): void {
  for (const warning of warnings)
    io.err(`${paint(io.colours, 'yellow', 'warning')} ${formatProblem(warning)}\n`)
  for (const problem of problems) io.out(`${formatProblem(problem)}\n`)
  if (problems.length > 0) io.err(`${name}: ${count(problems.length, 'problem')}\n`)
  else io.out(`${name} holds${warnings.length > 0 ? `, with ${count(warnings.length, 'warning')}` : ''}\n`)
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
