import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { open, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Where a program's output goes: a file, not a pipe, so that a program which outlives its supervisor can go on writing.
 * The file is bounded: when it has outgrown `maxBytes`, its last `maxBytes` are kept as `FILE.1` and it starts anew.
 */
export interface OutputFile {
  readonly path: string
  /** Opens it for one process; `close` gives our descriptor back once the process has its own. */
  attach(): { readonly descriptor: number; close(): void }
  /** The last lines of what was written since the last `attach`. */
  tail(lines?: number): Promise<string>
  /** Cuts it when it has outgrown its bound. To be called often. */
  bound(): Promise<void>
}

const tailBytes = 8192
const defaultMaxBytes = 10 * 1024 * 1024

/** @param maxBytes default 10 MiB; with `FILE.1` a program takes twice that, and what it writes between two `bound`s */
export function openOutputFile(path: string, maxBytes = defaultMaxBytes): OutputFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let begin = 0
  return {
    path,
    attach() {
      // Append mode, so that after a cut the program's next line lands at the start and leaves no hole.
      const descriptor = openSync(path, 'a', 0o600)
      begin = fstatSync(descriptor).size
      return { descriptor, close: () => closeSync(descriptor) }
    },
    async tail(lines = 20) {
      const since = begin
      const size = await sizeOf(path)
      // Smaller than where this process began: it was cut meanwhile.
      const from = Math.max(size < since ? 0 : since, size - tailBytes)
      const text = (await readRange(path, from, size)).toString('utf8').trimEnd()
      return text === '' ? '' : text.split('\n').slice(-lines).join('\n')
    },
    async bound() {
      const size = await sizeOf(path)
      if (size <= maxBytes) return
      await writeFile(`${path}.1`, await readRange(path, size - maxBytes, size), { mode: 0o600 })
      await truncate(path, 0)
      begin = 0
    },
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    return 0
  }
}

async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  if (to <= from) return Buffer.alloc(0)
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(to - from)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
