import { Fault } from '@portolan/core'

/** What the data file says about itself. It is rewritten in the transaction of every commit. */
export interface Lineage {
  readonly epoch: string
  readonly revision: number
  /** Wall time of the last transaction, in ms. */
  readonly at: number
  /** Where the file was then. A number in text: inodes may exceed 2^53. */
  readonly device: string
  readonly inode: string
  /** When the file was made, in ns: inodes are given out again. 0 where the file system does not say. */
  readonly born: string
}

/** Where the file is now, and when it was last changed in any way: `ctime`, which no program can set. */
export interface Whereabouts {
  readonly device: string
  readonly inode: string
  readonly born: string
  readonly changedAt: number
}

const format = 1

/**
 * How far every start moves the revision. Commits that a power loss, or a restored copy too fresh to be noticed, has
 * undone were below this; so none of their revisions is ever given out again in the same epoch.
 */
const revisionsPerStart = 10_000_000

export function encodeLineage(lineage: Lineage): string {
  return JSON.stringify({ v: format, ...lineage })
}

/** @throws Fault `store_failed`: not ours, or written by a newer version */
export function decodeLineage(text: string, file: string): Lineage {
  const record = parse(text)
  if (typeof record.v === 'number' && record.v > format) {
    throw new Fault('store_failed', `${file} was written by a newer version (format ${record.v})`, {
      source: 'caller',
      hint: `start that version, or move ${file} away to begin anew`,
    })
  }
  const { epoch, revision, at, device, inode, born } = record
  const sound =
    typeof epoch === 'string' &&
    Number.isSafeInteger(revision) &&
    typeof at === 'number' &&
    typeof device === 'string' &&
    typeof inode === 'string' &&
    typeof born === 'string'
  if (record.v !== format || !sound) throw corrupted(file)
  return { epoch, revision: Number(revision), at, device, inode, born }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Why the file is not the one that was written last; undefined when it is. */
export function breach(last: Lineage, now: Whereabouts, toleranceMs: number): string | undefined {
  const same = last.device === now.device && last.inode === now.inode && last.born === now.born
  if (!same) return 'the data file was replaced by a copy'
  if (Math.abs(now.changedAt - last.at) > toleranceMs) return 'the data file was overwritten'
  return undefined
}

/** The lineage that this start begins with: the same epoch, or `freshEpoch` after a breach; a revision past all others. */
export function continueLineage(
  last: Lineage | undefined,
  freshEpoch: string | undefined,
): Pick<Lineage, 'epoch' | 'revision'> {
  if (last === undefined) return { epoch: freshEpoch ?? '', revision: 0 }
  return { epoch: freshEpoch ?? last.epoch, revision: last.revision + revisionsPerStart }
}

export function corrupted(file: string, cause?: unknown): Fault {
  return new Fault('store_failed', `${file} is damaged, or not a data file of ours`, {
    source: 'internal',
    cause,
    hint: 'move the data directory away and start again: instances register anew, overrides and tokens are lost',
  })
}
