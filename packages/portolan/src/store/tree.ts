import { open, type RootDatabase } from 'lmdb'
import { decodeLineage, encodeLineage, type Lineage } from './lineage.ts'
import { bootId } from './lock.ts'
import type { Newest } from './memtable.ts'
import type { Entry } from './store.ts'

/** The LMDB file: entries by key, and the lineage. */
export interface Tree {
  lineage(): Lineage | undefined
  /** The revision that wrote a key; 0 = absent. */
  revisionOf(key: string): number
  entriesUnder(prefix: string): Entry[]
  /** One transaction; resolves when it is on the disk. */
  write(entries: Iterable<Newest>, lineage: Lineage): Promise<void>
  close(): Promise<void>
}

/** Numbers sort before strings, so this key is outside every reading. */
const lineageKey = 0

export function openTree(file: string): Tree {
  const database = open<string, string | number>({
    path: file,
    noSubdir: true,
    encoding: 'string',
    // The overlapping sync tells a SIGKILL from a power loss by the boot id. Without one it would roll back both.
    overlappingSync: bootId() !== undefined,
    // Its own batches around ours would have promises that nobody can catch: a full disk would end the process.
    eventTurnBatching: false,
    // Address space, not memory: growing the map later would stop the readers.
    mapSize: 1_073_741_824,
  })
  return {
    lineage() {
      const stored = database.get(lineageKey)
      return stored === undefined ? undefined : decodeLineage(stored, file)
    },
    revisionOf: key => revisionIn(database.get(key) ?? '0'),
    entriesUnder: prefix => entriesUnder(database, prefix),
    write: (entries, lineage) => settled(put(database, entries, lineage)),
    close: () => database.close(),
  }
}

function put(database: RootDatabase<string, string | number>, entries: Iterable<Newest>, lineage: Lineage) {
  // Inside a batch the single writes' promises say nothing: the batch's own tells for all of them.
  return database.batch(() => {
    for (const { key, value, revision } of entries) {
      if (value === undefined) void database.remove(key)
      else void database.put(key, `${revision} ${value}`)
    }
    void database.put(lineageKey, encodeLineage(lineage))
  })
}

/** A failed commit's reason comes as a second promise, which nobody else would ever look at. */
async function settled(writing: Promise<boolean>): Promise<void> {
  try {
    await writing
  } catch (error) {
    await (error as { readonly commitError?: Promise<unknown> }).commitError
    throw error
  }
}

function entriesUnder(database: RootDatabase<string, string | number>, prefix: string): Entry[] {
  const entries: Entry[] = []
  for (const { key, value } of database.getRange({ start: prefix === '' ? ' ' : prefix })) {
    if (typeof key !== 'string' || !key.startsWith(prefix)) break
    entries.push({ key, value: value.slice(value.indexOf(' ') + 1), revision: revisionIn(value) })
  }
  return entries
}

function revisionIn(stored: string): number {
  return Number.parseInt(stored, 10)
}
