import { describe, expect, it } from 'vitest'
import { globalOptions } from '../../packages/portolan/src/cli/command.ts'
import { commands } from '../../packages/portolan/src/cli/commands.ts'
import { cliPage } from '../../packages/portolan/src/cli/reference.ts'
import { readText, root } from './sources.ts'

const names = commands.map(({ name }) => name)

/** `token` alone names the family of `token create` and its like. */
const isCommand = (text: string): boolean =>
  names.includes(text) || names.some(name => name.startsWith(`${text} `))

/** The command that a shell line calls, and the long options that it gives. */
function called(line: string): { readonly name: string | undefined; readonly options: readonly string[] } {
  const words = (line.split(/ [|;&>#] ?/)[0] ?? '').split(' -- ')[0]?.split(/\s+/) ?? []
  const at = words.indexOf('portolan')
  const said = words.slice(at + 1)
  const name = [said.slice(0, 2).join(' '), said[0] ?? ''].find(isCommand)
  return { name, options: said.filter(word => word.startsWith('--')).map(word => word.split('=')[0] ?? '') }
}

function optionsOf(name: string | undefined): readonly string[] {
  const own = commands.find(command => command.name === name)?.options ?? []
  return [...own, ...globalOptions].flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])
}

describe('the command line, as documented', () => {
  // Made new by `npx vitest run --project unit test/repo/command-line.test.ts -u`.
  it('has every command in docs/cli.md, and none that is gone', async () => {
    await expect(cliPage(commands)).toMatchFileSnapshot(`${root}/docs/cli.md`)
    expect(names.length).toBeGreaterThan(10)
    expect(new Set(names).size).toBe(names.length)
  })

  it('shows examples that name their own command and options that there are', () => {
    for (const command of commands) {
      expect(command.examples.length, command.name).toBeGreaterThan(0)
      for (const [line] of command.examples) {
        const { name, options } = called(line)
        expect(name, line).toBe(command.name)
        expect(
          options.filter(option => !optionsOf(name).includes(option)),
          line,
        ).toEqual([])
      }
    }
  })

  it('is called rightly wherever the pages show it', () => {
    const pages = [
      'README.md',
      'CONTRIBUTING.md',
      'ARCHITECTURE.md',
      'docs/configuration.md',
      'docs/errors.md',
    ]
    const lines = pages.flatMap(page =>
      [...readText(page).matchAll(/(?:^|`|\$ |npx )(portolan [a-z][^`\n]*)/gm)].map(match => ({
        page,
        line: match[1] ?? '',
      })),
    )
    expect(lines.length).toBeGreaterThan(5)
    for (const { page, line } of lines) {
      const { name, options } = called(line)
      expect(name ?? `no command in "${line}" of ${page}`).toBe(name)
      expect(
        options.filter(option => !optionsOf(name).includes(option)),
        `${page}: ${line}`,
      ).toEqual([])
    }
  })
})
