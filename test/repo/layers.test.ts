import { describe, expect, it } from 'vitest'
import { productSources, type Source } from './sources.ts'

const sources = productSources()

/** Who may import whom among the workspaces and from outside. */
const packages: Readonly<Record<string, (specifier: string) => boolean>> = {
  core: () => false,
  client: name => ['@portolan/core', 'undici', 'ws'].includes(name) || name.startsWith('node:'),
  portolan: () => true,
}

/**
 * The rooms of packages/portolan/src, from the top of the house down. An import goes down, or stays on its line
 * towards the right. `observe` and `config` are the floor that everybody stands on.
 */
const floors: readonly (readonly string[])[] = [
  ['cli'],
  ['index.ts', 'server.ts', 'dns-arguments.ts', 'dns.ts', 'lb-arguments.ts', 'lb.ts'],
  ['api'],
  ['compat'],
  ['dns', 'proxy'],
  ['workloads'],
  ['simulate'],
  ['sources'],
  ['health', 'registry'],
  ['store', 'config'],
  ['observe'],
]

const room = (path: string): string => path.split('/')[3] ?? ''

function place(name: string): { floor: number; column: number } | undefined {
  const floor = floors.findIndex(rooms => rooms.includes(name))
  return floor < 0 ? undefined : { floor, column: floors[floor]?.indexOf(name) ?? 0 }
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true
  const a = place(from)
  const b = place(to)
  if (a === undefined || b === undefined) return false
  return b.floor > a.floor || (b.floor === a.floor && b.column > a.column)
}

function cyclesIn(files: readonly Source[]): string[] {
  const byPath = new Map(files.map(file => [file.path, file]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const next of byPath.get(path)?.imports ?? []) if (byPath.has(next)) visit(next, [...trail, path])
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
  return found
}

describe('the layers of the house', () => {
  it('sees the sources', () => {
    expect(sources.length).toBeGreaterThan(20)
  })

  it('keeps each package to its allowed imports', () => {
    const strays = sources.flatMap(({ path, imports }) => {
      const owner = path.split('/')[1] ?? ''
      return imports
        .filter(name => !name.startsWith('packages/') && packages[owner]?.(name) !== true)
        .map(name => `${path} imports ${name}`)
    })
    expect(strays).toEqual([])
  })

  it('never reaches into another package by path', () => {
    const strays = sources.flatMap(({ path, imports }) =>
      imports
        .filter(name => name.startsWith('packages/') && name.split('/')[1] !== path.split('/')[1])
        .map(name => `${path} imports ${name}`),
    )
    expect(strays).toEqual([])
  })

  it('imports down the list only', () => {
    const strays = sources
      .filter(({ path }) => path.startsWith('packages/portolan/src/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter(name => name.startsWith('packages/portolan/src/') && !mayImport(room(path), room(name)))
          .map(name => `${path} imports ${name}`),
      )
    expect(strays).toEqual([])
  })

  it('shows the proxy a Resolver and never a store or the registry', () => {
    const strays = sources
      .filter(({ path }) => path.startsWith('packages/portolan/src/proxy/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter(name => /src\/(store|registry|workloads|health)\//.test(name))
          .map(name => `${path} imports ${name}`),
      )
    expect(strays).toEqual([])
  })

  it('has no circle, types included', () => {
    expect(cyclesIn(sources)).toEqual([])
  })

  it('would see a circle', () => {
    const file = (path: string, imports: string[]): Source => ({ path, text: '', imports })
    expect(cyclesIn([file('a', ['b']), file('b', ['c']), file('c', ['a'])])).toEqual(['a → b → c → a'])
  })
})
