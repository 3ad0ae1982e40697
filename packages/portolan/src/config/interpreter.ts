import { closeSync, openSync, readSync } from 'node:fs'

/** What stands behind `#!`, up to the first space; undefined where that is not how the file begins. */
export function interpreterOf(file: string): string | undefined {
  try {
    const descriptor = openSync(file, 'r')
    try {
      const head = Buffer.alloc(256)
      const line = head.toString('latin1', 0, readSync(descriptor, head)).split('\n')[0] ?? ''
      return /^#![ \t]*([^ \t]+)/.exec(line)?.[1]
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return undefined
  }
}
