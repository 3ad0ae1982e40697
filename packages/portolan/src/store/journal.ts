import {
  close as closeFile,
  closeSync,
  fdatasync,
  fsync,
  ftruncate,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decodeChanges, encodeChanges, encodeHeader, isHeaderOf, recordsOf } from './journal-record.ts'
import type { Change } from './store.ts'

const writeAt = promisify(write)
const syncAll = promisify(fsync)
const syncData = promisify(fdatasync)
const truncate = promisify(ftruncate)
const closeLater = promisify(closeFile)

/** A new file begins when one is this long, so that old ones can be deleted. */
const segmentBytes = 8_388_608

interface Segment {
  readonly path: string
  readonly descriptor: number
  size: number
  /** The highest revision in it. */
  revision: number
}

/**
 * Up to this long, a copy into the page cache takes less time than handing it to a thread and hearing back, and holds
 * up nobody. What is longer goes through the thread pool.
 */
const writeAtOnce = 262_144

/**
 * The write-ahead journal: files `journal.N`, each a row of records `length, CRC-32, payload`. The first record of a
 * file names the epoch, every other one holds the changes of one transaction (`journal-record.ts`). Written to the page cache, so that a
 * record survives SIGKILL when `append` resolves, and a power loss when `sync` does. A record that is cut off or does
 * not match its sum is the end.
 */
export class Journal {
  readonly #directory: string
  readonly #epoch: string
  #number: number
  #segments: Segment[] = []
  /** A file is on the disk with its name only after a sync of the directory. */
  #named = false
  #syncing: Promise<void> = Promise.resolve()
  #nextSync: Promise<void> | undefined

  /** Begins a file of its own after all that are there. */
  constructor(directory: string, epoch: string, revision: number) {
    this.#directory = directory
    this.#epoch = epoch
    this.#number = numbersIn(directory).at(-1) ?? 0
    this.#begin(revision)
  }

  /** One call at a time. Rejects when nothing of it was written. */
  async append(changes: readonly Change[]): Promise<void> {
    const last = changes.at(-1)?.revision ?? 0
    const segment = this.#current()
    const isNew = segment.size === 0
    const record = isNew
      ? Buffer.concat([encodeHeader(this.#epoch), encodeChanges(changes)])
      : encodeChanges(changes)
    try {
      await writeWhole(segment, record)
    } catch (error) {
      // What is left of it must not look like a record when the next one is shorter.
      await truncate(segment.descriptor, segment.size).catch(() => undefined)
      throw error
    }
    segment.size += record.length
    segment.revision = last
  }

  /** Resolves when everything that was appended before the call is on the disk. */
  sync(): Promise<void> {
    // Whoever asks while one is under way shares the next: this one may have begun too early.
    this.#nextSync ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#nextSync = undefined
        this.#syncing = this.#syncNow()
        return this.#syncing
      })
    return this.#nextSync
  }

  /** Deletes the files whose changes have all gone elsewhere, up to and with `revision`. */
  async forget(revision: number): Promise<void> {
    const current = this.#segments.at(-1)
    const old = this.#segments.filter(segment => segment !== current && segment.revision <= revision)
    this.#segments = this.#segments.filter(segment => !old.includes(segment))
    await this.#syncing.catch(() => undefined)
    for (const { path, descriptor } of old) {
      rmSync(path, { force: true })
      await closeLater(descriptor)
    }
  }

  /** Deletes everything: call it when all of it has gone elsewhere. */
  remove(): void {
    for (const { path, descriptor } of this.#segments.splice(0)) {
      rmSync(path, { force: true })
      closeSync(descriptor)
    }
  }

  /** Leaves the files as they are. */
  close(): void {
    for (const { descriptor } of this.#segments.splice(0)) closeSync(descriptor)
  }

  async #syncNow(): Promise<void> {
    const naming = this.#named ? undefined : openSync(this.#directory, 'r')
    this.#named = true
    try {
      const files = this.#segments.map(segment => syncData(segment.descriptor))
      await Promise.all(naming === undefined ? files : [...files, syncAll(naming)])
    } catch (error) {
      this.#named = false
      throw error
    } finally {
      if (naming !== undefined) closeSync(naming)
    }
  }

  #current(): Segment {
    const newest = this.#segments.at(-1)
    return newest !== undefined && newest.size < segmentBytes ? newest : this.#begin(newest?.revision ?? 0)
  }

  #begin(revision: number): Segment {
    const path = join(this.#directory, `journal.${this.#number + 1}`)
    const segment = { path, descriptor: openSync(path, 'wx', 0o600), size: 0, revision }
    this.#number++
    this.#named = false
    this.#segments.push(segment)
    return segment
  }
}

/** What the journals of an epoch hold after `revision`, without a gap, up to the first damaged record. */
export function* replay(directory: string, epoch: string, revision: number): Generator<readonly Change[]> {
  let reached = revision
  for (const number of numbersIn(directory)) {
    const records = recordsOf(readFileSync(join(directory, `journal.${number}`)))
    const header = records.next().value
    if (header === undefined || !isHeaderOf(epoch, header)) continue
    for (const record of records) {
      const changes = decodeChanges(record).filter(change => change.revision > reached)
      const next = changes[0]?.revision
      if (next === undefined) continue
      if (next !== reached + 1) return
      yield changes
      reached = changes.at(-1)?.revision ?? reached
    }
  }
}

export function removeJournals(directory: string): void {
  for (const number of numbersIn(directory)) rmSync(join(directory, `journal.${number}`), { force: true })
}

async function writeWhole({ descriptor, size }: Segment, record: Buffer): Promise<void> {
  for (let done = 0; done < record.length; ) {
    const left = record.length - done
    if (left <= writeAtOnce) done += writeSync(descriptor, record, done, left, size + done)
    else done += (await writeAt(descriptor, record, done, left, size + done)).bytesWritten
  }
}

function numbersIn(directory: string): number[] {
  const numbers = readdirSync(directory)
    .filter(name => /^journal\.\d{1,15}$/.test(name))
    .map(name => Number(name.slice('journal.'.length)))
  return numbers.sort((a, b) => a - b)
}
