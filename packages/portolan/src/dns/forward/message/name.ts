/** The longest name on the wire, its lengths and the root's zero among it (RFC 1035 section 3.1). */
const longestName = 255
/** So many pointers may stand one behind another; a name cannot have more labels than this. */
const mostPointers = 127

/**
 * The offset behind the name that begins at `at`; -1 = there is none. Pointers (RFC 1035 section 4.1.4) lead to names that
 * end before they are used: so no two of them can make a circle, and nothing that comes later can change what they mean.
 * @param fleeting bytes that will not stay as they are (not 0), such as those of TTLs: no name may be made of them
 */
export function behindName(bytes: Uint8Array, at: number, fleeting?: Uint8Array): number {
  let behind = -1
  let length = 0
  let pointers = 0
  let before = bytes.length
  let start = at
  for (let here = at; ; ) {
    const byte = bytes[here]
    if (byte === undefined || here >= before) return -1
    if (byte >= 0xc0) {
      const low = bytes[here + 1]
      if (low === undefined || here + 2 > before) return -1
      if (behind < 0) behind = here + 2
      const target = ((byte & 0x3f) << 8) | low
      if (target >= start || target < 12 || ++pointers > mostPointers) return -1
      if (isFleeting(fleeting, here, here + 2)) return -1
      before = start
      start = target
      here = target
      continue
    }
    const next = here + 1 + byte
    length += 1 + byte
    if (byte > 63 || length > longestName || next > before || isFleeting(fleeting, here, next)) return -1
    if (byte === 0) return behind < 0 ? next : behind
    here = next
  }
}

function isFleeting(fleeting: Uint8Array | undefined, from: number, to: number): boolean {
  if (fleeting === undefined) return false
  for (let at = from; at < to; at++) if (fleeting[at] !== 0) return true
  return false
}
