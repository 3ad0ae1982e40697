import { types } from './codes.ts'
import { header, smallestUdpSize } from './header.ts'
import { readUint16 } from './integers.ts'
import { skipName } from './names.ts'
import type { Edns, Flaw } from './query.ts'

/** What stands behind the question of a query. */
export interface QueryRecords {
  /** Whether there was an OPT record, as far as the message was read: a reply has one then, too (RFC 6891 section 6.1.1). */
  readonly opt: boolean
  readonly edns: Edns | undefined
  readonly flaw: Flaw | undefined
}

/** Type, class, TTL and length of the data: what stands between a record's name and its data. */
const fixedBytes = 10
const cookieOption = 10
const nothing: QueryRecords = { opt: false, edns: undefined, flaw: undefined }

/**
 * Reads the records of a query from `at` on. The OPT record alone means anything to us; an IXFR's SOA (RFC 1995 section
 * 3), a signature (RFC 8945, RFC 2931: everybody may know what we say, signed or not) and whatever else is passed
 * over. Bytes behind the last record are nobody's, and no flaw: BIND takes such messages, too.
 */
export function readRecords(message: Uint8Array, at: number): QueryRecords {
  const others = readUint16(message, header.answers) + readUint16(message, header.authority)
  const all = others + readUint16(message, header.additional)
  let read = nothing
  let position = at
  for (let index = 0; index < all; index++) {
    const fixed = skipName(message, position)
    if (fixed < 0 || fixed + fixedBytes > message.length) return flawed('record', read.opt)
    const end = fixed + fixedBytes + readUint16(message, fixed + 8)
    if (end > message.length) return flawed('record', read.opt)
    if (readUint16(message, fixed) === types.OPT) {
      // It belongs to the root, among the additional records, once (RFC 6891 section 6.1.1).
      const isMisplaced = read.opt || index < others || fixed !== position + 1
      read = readOpt(message, fixed, end)
      if (isMisplaced) return flawed('opt')
      if (read.flaw === 'option' || read.flaw === 'cookie') return read
    }
    position = end
  }
  return read
}

function flawed(flaw: Flaw, opt = true): QueryRecords {
  return { opt, edns: undefined, flaw }
}

/** RFC 6891 section 6.1.2: the class is the size, the TTL an extended RCODE, the version and the flags, of which DO is the first. */
function readOpt(message: Uint8Array, fixed: number, end: number): QueryRecords {
  // What a later version's options look like is not ours to say (RFC 6891 section 6.1.3).
  if (message[fixed + 5] !== 0) return flawed('version')
  let cookie: Uint8Array | undefined
  let position = fixed + fixedBytes
  while (position < end) {
    const data = position + 4
    if (data > end) return flawed('option')
    const next = data + readUint16(message, position + 2)
    if (next > end) return flawed('option')
    // The first one counts, whatever follows (RFC 7873 section 5.2).
    if (readUint16(message, position) === cookieOption && cookie === undefined) {
      if (!isCookieLength(next - data)) return flawed('cookie')
      cookie = message.subarray(data, next)
    }
    position = next
  }
  const size = Math.max(smallestUdpSize, readUint16(message, fixed + 2))
  const dnssecOk = ((message[fixed + 6] as number) & 0x80) !== 0
  return { opt: true, edns: { size, dnssecOk, cookie }, flaw: undefined }
}

/** A client cookie of 8 bytes, alone or with a server cookie of 8 to 32 (RFC 7873 section 4). */
function isCookieLength(length: number): boolean {
  return length === 8 || (length >= 16 && length <= 40)
}
