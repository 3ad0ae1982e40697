import { close, fstat, open, stat, write } from 'node:fs'
import { promisify } from 'node:util'
import type { Milliseconds } from '@portolan/core'

const files = {
  open: promisify(open),
  close: promisify(close),
  stat: promisify(stat),
  fstat: promisify(fstat),
  write: (fd: number, bytes: Uint8Array) =>
    new Promise<number>((resolve, reject) => {
      write(fd, bytes, 0, bytes.length, null, (error, written) => {
        if (error === null) resolve(written)
        else reject(error)
      })
    }),
}

const stdout = 1

/** What waits to be written is bounded: whoever is slower than that loses lines, and not the gateway its memory. */
const mostPending = 1 << 20
/** From so much on a write is begun at once, instead of at the next {@link LineSink.flush}. */
const flushAbove = 1 << 16
/** How long `close` waits for a target that takes nothing. */
const patienceMs: Milliseconds = 2000

/**
 * Appends lines to a file, or to stdout, without ever holding up the event loop: lines gather, and go out together on libuv's
 * threads. What can't be written is dropped and counted. A file that was renamed (log rotation) is opened anew.
 */
export class LineSink {
  /** Lines that were not written, so far. */
  dropped = 0
  written = 0
  readonly path: string
  readonly #onError: (error: Error) => void
  #text = ''
  #lines = 0
  #fd: number | undefined
  #writing: Promise<void> | undefined
  #closed = false

  /** @param path `stdout`, or that of a file, which is made where there is none */
  constructor(path: string, onError: (error: Error) => void) {
    this.path = path
    this.#onError = onError
  }

  /** @param line with its line end */
  write(line: string): void {
    if (this.#closed || this.#text.length + line.length > mostPending) {
      this.dropped++
      return
    }
    this.#text += line
    this.#lines++
    if (this.#text.length > flushAbove) this.flush()
  }

  /** Begins to write what has gathered, unless a write is under way: then that comes next. */
  flush(): void {
    if (this.#writing !== undefined || this.#lines === 0) return
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  /** Writes what has gathered, as far as that takes no longer than two seconds. */
  async close(): Promise<void> {
    this.#closed = true
    const patience = new Promise<void>(resolve => {
      this.#timer = setTimeout(resolve, patienceMs)
    })
    await Promise.race([this.#finish(), patience])
    clearTimeout(this.#timer)
    this.dropped += this.#lines
    this.#lines = 0
  }
  #timer: NodeJS.Timeout | undefined

  async #finish(): Promise<void> {
    await this.#writing
    this.flush()
    await this.#writing
    await this.#letGo()
  }

  async #writeAll(): Promise<void> {
    const lines = this.#lines
    const bytes = Buffer.from(this.#text)
    this.#text = ''
    this.#lines = 0
    try {
      const fd = await this.#opened()
      for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(await this.#writeSome(fd, rest))
      this.written += lines
    } catch (thrown) {
      this.dropped += lines
      this.#onError(thrown instanceof Error ? thrown : new Error(String(thrown)))
      await this.#letGo().catch(() => {})
    }
  }

  async #writeSome(fd: number, bytes: Uint8Array): Promise<number> {
    for (;;) {
      try {
        return await files.write(fd, bytes)
      } catch (thrown) {
        if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'EAGAIN') throw thrown
        // A pipe that is full, and that somebody has made non-blocking.
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
  }

  async #opened(): Promise<number> {
    if (this.path === 'stdout') return stdout
    if (this.#fd !== undefined && !(await this.#isStillThere(this.#fd))) await this.#letGo()
    this.#fd ??= await files.open(this.path, 'a', 0o640)
    return this.#fd
  }

  async #isStillThere(fd: number): Promise<boolean> {
    const [ours, named] = await Promise.all([files.fstat(fd), files.stat(this.path).catch(() => undefined)])
    return named !== undefined && named.ino === ours.ino && named.dev === ours.dev
  }

  async #letGo(): Promise<void> {
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) await files.close(fd)
  }
}
