import { crc32 } from 'node:zlib'
import type { Change } from './store.ts'

/** Length and CRC-32 of the payload, 32 bits each, little endian. */
const headBytes = 8
const format = 2

/** The first record of a journal file. */
export function encodeHeader(epoch: string): Buffer {
  return encode(JSON.stringify({ v: format, epoch }))
}

export function isHeaderOf(epoch: string, payload: string): boolean {
  const header = JSON.parse(payload) as { readonly v?: unknown; readonly epoch?: unknown }
  return header.v === format && header.epoch === epoch
}

/** A change in the index of a record: its revision, then a key and the length of its value for each event. */
type Indexed = readonly [revision: number, ...(string | number)[]]

/** The length of the value of a key that was deleted. */
const deleted = -1

/**
 * The changes of one transaction: an index in JSON, a line feed, and then all values one after the other as they
 * are. They are JSON themselves most of the time, and JSON within JSON is a third longer and several times slower.
 */
export function encodeChanges(changes: readonly Change[]): Buffer {
  let values = ''
  const index: Indexed[] = []
  for (const { revision, events } of changes) {
    const entry: [number, ...(string | number)[]] = [revision]
    for (const { key, value } of events) {
      entry.push(key, value?.length ?? deleted)
      if (value !== undefined) values += value
    }
    index.push(entry)
  }
  return encode(`${JSON.stringify(index)}\n${values}`)
}

export function decodeChanges(payload: string): readonly Change[] {
  let position = payload.indexOf('\n') + 1
  const index = JSON.parse(payload.slice(0, position)) as readonly Indexed[]
  return index.map(([revision, ...rest]) => {
    const events: { key: string; value: string | undefined }[] = []
    for (let at = 0; at < rest.length; at += 2) {
      const length = Number(rest[at + 1])
      const value = length === deleted ? undefined : payload.slice(position, position + length)
      position += value?.length ?? 0
      events.push({ key: String(rest[at]), value })
    }
    return { revision, events }
  })
}

/** The payloads of a file's records, up to the first one that is cut off or does not match its sum. */
export function* recordsOf(file: Buffer): Generator<string, undefined> {
  let position = 0
  while (position + headBytes <= file.length) {
    const start = position + headBytes
    const end = start + file.readUInt32LE(position)
    if (end === start || end > file.length) return
    const payload = file.subarray(start, end)
    if (crc32(payload) !== file.readUInt32LE(position + 4)) return
    yield payload.toString()
    position = end
  }
}

function encode(payload: string): Buffer {
  const buffer = Buffer.allocUnsafe(headBytes + Buffer.byteLength(payload))
  buffer.write(payload, headBytes)
  buffer.writeUInt32LE(buffer.length - headBytes, 0)
  buffer.writeUInt32LE(crc32(buffer.subarray(headBytes)), 4)
  return buffer
}
