import { behindName } from './name.ts'

/** Bytes by number; `rest` = whatever follows. */
type Part = number | 'name' | 'string' | 'strings' | 'rest'

/**
 * What the data of a record is made of, for all types whose names may be compressed (RFC 1035 section 3.3, RFC 3597
 * section 4) and those that nearly every client reads. The data of any other type is bytes to us.
 */
const layouts: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  [1, [4]], // A
  [2, ['name']], // NS
  [3, ['name']], // MD
  [4, ['name']], // MF
  [5, ['name']], // CNAME
  [6, ['name', 'name', 20]], // SOA
  [7, ['name']], // MB
  [8, ['name']], // MG
  [9, ['name']], // MR
  [12, ['name']], // PTR
  [13, ['string', 'string']], // HINFO
  [14, ['name', 'name']], // MINFO
  [15, [2, 'name']], // MX
  [16, ['strings']], // TXT
  [17, ['name', 'name']], // RP
  [18, [2, 'name']], // AFSDB
  [21, [2, 'name']], // RT
  [26, [2, 'name', 'name']], // PX
  [28, [16]], // AAAA
  [33, [6, 'name']], // SRV
  [35, [4, 'string', 'string', 'string', 'name']], // NAPTR
  [36, [2, 'name']], // KX
  [39, ['name']], // DNAME
  [46, [18, 'name', 'rest']], // RRSIG
  [47, ['name', 'rest']], // NSEC
])

/** Whether the bytes from `at` to `end` are what a record of this type says. @param fleeting as for {@link behindName} */
export function isData(
  bytes: Uint8Array,
  type: number,
  { at, end, fleeting }: { readonly at: number; readonly end: number; readonly fleeting: Uint8Array },
): boolean {
  const layout = layouts.get(type)
  if (layout === undefined) return true
  let here = at
  for (const part of layout) {
    here = part === 'name' ? behindName(bytes, here, fleeting) : behindPart(bytes, part, here, end)
    if (here < 0 || here > end) return false
  }
  return here === end
}

function behindPart(bytes: Uint8Array, part: Exclude<Part, 'name'>, at: number, end: number): number {
  if (part === 'rest') return end
  if (part === 'string') return behindString(bytes, at)
  if (part === 'strings') return behindStrings(bytes, at, end)
  return at + part
}

/** RFC 1035 section 3.3: a length, and so many bytes. */
function behindString(bytes: Uint8Array, at: number): number {
  const length = bytes[at]
  return length === undefined ? -1 : at + 1 + length
}

/** One or more of them (RFC 1035 section 3.3.14); some have none, and nobody minds. */
function behindStrings(bytes: Uint8Array, at: number, end: number): number {
  let here = at
  while (here >= 0 && here < end) here = behindString(bytes, here)
  return here
}
