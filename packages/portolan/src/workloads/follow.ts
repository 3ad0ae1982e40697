import { open, stat } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'

export interface Following {
  /** Reads what is there now, without waiting for the next poll. */
  look(): Promise<void>
  close(): void
}

const pollMs = 250
const maxReadBytes = 65_536

/**
 * Gives every line that a program adds to its output file to `take`, from now on. Polls: watching a file costs a
 * kernel watch each, and nobody reads faster. A file that is cut is followed from its new start.
 */
export function followOutput(path: string, take: (line: string) => void): Following {
  let at: number | undefined
  let rest = ''
  const decoder = new StringDecoder('utf8')
  let closed = false
  let timer: NodeJS.Timeout | undefined

  const read = async (): Promise<void> => {
    const size = await sizeOf(path)
    at ??= size
    if (size < at) at = 0
    if (size > at) {
      const bytes = await readBytes(path, at, Math.min(size, at + maxReadBytes))
      at += bytes.length
      const lines = (rest + decoder.write(bytes)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (!closed) take(line)
    }
  }
  // One at a time. Between two the file may be cut, moved away or not be there yet: the next one finds out.
  let reading: Promise<void> = Promise.resolve()
  const look = (): Promise<void> => {
    reading = reading.then(read).catch(() => undefined)
    return reading
  }
  const lookOn = async (): Promise<void> => {
    await look()
    if (!closed) timer = setTimeout(() => void lookOn(), pollMs)
  }
  void lookOn()
  return {
    look,
    close() {
      closed = true
      clearTimeout(timer)
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

async function readBytes(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
