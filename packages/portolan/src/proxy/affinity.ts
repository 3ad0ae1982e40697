import { equalsFolded, type Hop, latin1, type RequestHead } from './codec/codec.ts'
import { findCookie } from './cookies.ts'

/** Reads the key of a request, by which hashing policies pick; undefined = it has none. An empty text is none. */
export type KeyOf = (bytes: Uint8Array, head: RequestHead, hop: Hop) => string | undefined

/** @param hashBy `address`, `header:NAME` or `cookie:NAME`; anything else, from a newer registry, gives no keys */
export function keyReader(hashBy: string | undefined): KeyOf | undefined {
  if (hashBy === 'address') return (_bytes, _head, { peer }) => peer
  const colon = hashBy?.indexOf(':') ?? -1
  if (hashBy === undefined || colon < 0) return undefined
  const [kind, name] = [hashBy.slice(0, colon), hashBy.slice(colon + 1)]
  if (kind === 'header') {
    const folded = name.toLowerCase()
    return (bytes, head) => headerValue(bytes, head, folded)
  }
  return kind === 'cookie' ? (bytes, head) => findCookie(bytes, head, name, saysSomething) : undefined
}

/**
 * The first field of that name, given in lower case, that says something: as a key, an empty text would bring all who
 * send none to one instance.
 */
function headerValue(bytes: Uint8Array, { fields }: RequestHead, name: string): string | undefined {
  for (let index = 0; index < fields.count; index++) {
    if (!equalsFolded(bytes, fields.lineStart(index), fields.nameEnd(index), name)) continue
    if (fields.valueStart(index) >= fields.valueEnd(index)) continue
    return latin1(bytes, fields.valueStart(index), fields.valueEnd(index))
  }
  return undefined
}

/** `sid=` and `sid=""` are how servers take a cookie back. */
function saysSomething(value: string): boolean {
  return value !== '' && value !== '""'
}
