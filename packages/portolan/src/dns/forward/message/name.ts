/** The longest name on the wire, its lengths and the root's zero among it (RFC 1035 section 3.1). */
const longestName = 255
/** So many pointers may stand one behind another; a name cannot have more labels than this. */
const mostPointers = 127

/**
 * The offset behind the name that begins at `at`; -1 = there is none. A pointer (RFC 1035 section 4.1.4) must lead to
 * before the labels that led to it, so that no two of them can make a circle.
 */
export function behindName(bytes: Uint8Array, at: number): number {
  let behind = -1
  let length = 0
  let pointers = 0
  let before = at
  for (let here = at; ; ) {
    const byte = bytes[here]
    if (byte === undefined) return -1
    if (byte >= 0xc0) {
      const low = bytes[here + 1]
      if (low === undefined) return -1
      if (behind < 0) behind = here + 2
      const target = ((byte & 0x3f) << 8) | low
      if (target >= before || target < 12 || ++pointers > mostPointers) return -1
      before = target
      here = target
      continue
    }
    if (byte > 63) return -1
    here += 1 + byte
    length += 1 + byte
    if (length > longestName) return -1
    if (byte === 0) return behind < 0 ? here : behind
  }
}
