import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Source {
  /** From the repository's root: `packages/core/src/index.ts`. */
  readonly path: string
  readonly text: string
  /** What it imports, types included: repository paths for relative ones, else the bare specifier. */
  readonly imports: readonly string[]
}

const passedOver = new Set(['node_modules', 'dist', '.git', 'coverage', '.portolan'])

export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    if (passedOver.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

const specifier = /(?:\bfrom\s*|\bimport\s*\(?\s*)'([^']+)'/g

function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(specifier)].map(match => {
    const name = match[1] ?? ''
    return name.startsWith('.') ? relative(root, resolve(root, dirname(path), name)) : name
  })
}

export function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, imports: importsOf(path, text) }
}

export const isTest = (path: string): boolean => /\.(test|bench)\.ts$|\/testing\//.test(path)

/** Every TypeScript file of the packages, without tests, benches and what serves them. */
export function productSources(): Source[] {
  return filesBelow('packages')
    .filter(path => path.endsWith('.ts') && path.includes('/src/') && !isTest(path))
    .map(readSource)
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
