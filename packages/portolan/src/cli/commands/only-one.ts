import { type Invocation, listOption, usage } from '../command.ts'

/**
 * The text of an option that means one thing and is declared `repeated`, so that a second one is not lost in silence.
 * @throws Fault `invalid_request`
 */
export function only(invocation: Invocation, name: string): string | undefined {
  const given = listOption(invocation, name)
  if (given.length > 1) throw usage(`--${name} is given twice`, 'name one')
  return given[0]
}
