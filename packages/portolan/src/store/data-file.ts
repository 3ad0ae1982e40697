import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { corrupted, type Whereabouts } from './lineage.ts'

/** Where a file is, and since when; undefined when there is none. */
export function locate(file: string): Whereabouts | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return {
    device: String(stat.dev),
    inode: String(stat.ino),
    born: String(stat.birthtimeNs),
    changedAt: Number(stat.ctimeMs),
  }
}

const magic = 0xbeefc0de
const dataVersion = 2
const at = {
  magic: 24,
  version: 28,
  pageSize: 48,
  freeRoot: 88,
  mainRoot: 136,
  lastPage: 144,
  transaction: 152,
}
const metaSize = 160
const noPage = 0xffff_ffff_ffff_ffffn

/** Free pages at the end may never have been written (mdb.c, at `mm_last_pg`). A few transactions' worth of them. */
const slackPages = 64n

/**
 * LMDB maps the file and trusts it: one that is cut short or is something else would end the process by a signal.
 * So this looks at the two meta pages first (`MDB_meta` in lmdb's mdb.c, 64 bit, little endian).
 * @throws Fault `store_failed`
 */
export function checkDataFile(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (size === 0) return
    const first = readMeta(descriptor, 0)
    if (first === undefined || first.readUInt32LE(at.magic) !== magic) throw corrupted(file)
    if ((first.readUInt32LE(at.version) & 0xffff) !== dataVersion) return
    const pageSize = first.readUInt32LE(at.pageSize)
    const second = readMeta(descriptor, pageSize)
    if (second === undefined || second.readUInt32LE(at.magic) !== magic) throw corrupted(file)
    const newer = second.readBigUInt64LE(at.transaction) > first.readBigUInt64LE(at.transaction)
    const meta = newer ? second : first
    const pages = BigInt(Math.floor(size / Math.max(pageSize, 512)))
    const roots = [at.freeRoot, at.mainRoot].map(offset => meta.readBigUInt64LE(offset))
    const short = meta.readBigUInt64LE(at.lastPage) + 1n > pages + slackPages
    if (short || roots.some(root => root !== noPage && root >= pages)) throw corrupted(file)
  } finally {
    closeSync(descriptor)
  }
}

function readMeta(descriptor: number, position: number): Buffer | undefined {
  const meta = Buffer.alloc(metaSize)
  return readSync(descriptor, meta, 0, metaSize, position) === metaSize ? meta : undefined
}
