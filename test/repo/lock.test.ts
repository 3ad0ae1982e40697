import { describe, expect, it } from 'vitest'
import { readText } from './sources.ts'

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages } = JSON.parse(readText('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Locked>>
}

/** Where Node would find `name` from the package at `path`: in its own node_modules, or in those above. */
function found(path: string, name: string): Locked | undefined {
  const here = packages[path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`]
  if (here !== undefined || path === '') return here
  return found(path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name)
}

describe('package-lock.json', () => {
  // `npm ci` refuses a lock that lacks a package, though it is for another platform. npm leaves out those that the
  // registry at hand does not serve: add them by hand, with version, os, cpu and libc, or lock with another registry.
  it('names every package that another one needs, those of other platforms too', () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter(
        name => found(path, name)?.version === undefined && found(path, name)?.link !== true,
      ),
    )
    expect(missing).toEqual([])
    expect(Object.keys(packages).length).toBeGreaterThan(100)
  })

  it('names no registry', () => {
    const named = Object.values(packages).filter(({ resolved, link }) => resolved !== undefined && !link)
    expect(named).toEqual([])
  })
})
