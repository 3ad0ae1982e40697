import type { RouteMatch } from '@portolan/core'
import { equalsFolded, type Hop, type RequestHead } from '../codec/codec.ts'
import { forwardedField, isUntrustedClaim, tellsForwarded } from './forwarded-fields.ts'
import { LoosePath } from './loose-path.ts'

/** What a route asks of requests, ready to be compared with the bytes of their heads: no string is made. */
export interface Conditions {
  /** In lower case; of a wildcard what follows the `*`. */
  readonly host: string | undefined
  readonly belowHost: boolean
  readonly path: Uint8Array | undefined
  /** The same as {@link LoosePath} reads it, and how many segments that are. */
  readonly loosePath: Uint8Array
  readonly depth: number
  readonly method: Uint8Array | undefined
  readonly fields: readonly AskedField[]
}

interface AskedField {
  readonly name: string
  readonly value: Uint8Array
  /** Which of the fields that the gateway itself sets; 0: none of them. */
  readonly forwarded: number
}

const known: ReadonlySet<string> = new Set(['host', 'path', 'headers', 'method'])

/** `undefined`: it asks for something that this gateway does not know, so that nobody can say whether a request has it. */
export function conditionsOf(match: RouteMatch): Conditions | undefined {
  const { host, path, headers = {}, method } = match
  if (Object.keys(match).some(key => !known.has(key))) return undefined
  if (!isTextOrNone(host) || !isTextOrNone(path) || !isTextOrNone(method)) return undefined
  if (headers === null || typeof headers !== 'object') return undefined
  const asked = Object.entries(headers)
  if (asked.some(([, value]) => typeof value !== 'string')) return undefined
  const folded = host?.toLowerCase().replace(/\.$/, '')
  const belowHost = folded?.startsWith('*.') ?? false
  const prefix = Buffer.from(path ?? '/', 'utf8')
  const loose = new LoosePath().read(prefix, 0, path?.startsWith('/') ? prefix.length : 0)
  return {
    host: belowHost ? folded?.slice(1) : folded,
    belowHost,
    // `/` matches every path, `*` included: no need to look.
    path: path === undefined || path === '/' ? undefined : prefix,
    loosePath: Buffer.from(loose.bytes.subarray(0, loose.length)),
    depth: loose.depth,
    method: method === undefined ? undefined : Buffer.from(method, 'utf8'),
    fields: asked.map(([name, value]) => askedField(name.toLowerCase(), value)),
  }
}

function askedField(name: string, value: string): AskedField {
  return { name, value: Buffer.from(value, 'utf8'), forwarded: forwardedField(name) }
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

/** @param hostEnd where its host ends, without port and final dot: {@link endOfHost} */
export function meets(
  asked: Conditions,
  bytes: Uint8Array,
  head: RequestHead,
  hop: Hop,
  hostEnd: number,
): boolean {
  if (asked.path !== undefined && !hasPrefix(bytes, head, asked.path)) return false
  return meetsBesidesPath(asked, bytes, head, hop, hostEnd)
}

/** The same, whatever the path. */
export function meetsBesidesPath(
  asked: Conditions,
  bytes: Uint8Array,
  head: RequestHead,
  hop: Hop,
  hostEnd: number,
): boolean {
  const { host, method, fields } = asked
  if (method !== undefined && !isEqual(bytes, head.start, head.methodEnd, method)) return false
  if (host !== undefined) {
    // Below a host stands at least one character before its dot.
    const from = asked.belowHost ? hostEnd - host.length : head.hostStart
    if (asked.belowHost && from <= head.hostStart) return false
    if (!equalsFolded(bytes, from, hostEnd, host)) return false
  }
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    if (field !== undefined && !hasField(bytes, head, hop, field)) return false
  }
  return true
}

/** Where the host of a request ends: before its port, and before the dot that a full name may end with. */
export function endOfHost(bytes: Uint8Array, { hostStart, hostEnd }: RequestHead): number {
  let end = hostEnd
  while (end > hostStart && bytes[end - 1] !== 0x3a && bytes[end - 1] !== 0x5d) end--
  end = end > hostStart && bytes[end - 1] === 0x3a ? end - 1 : hostEnd
  return end > hostStart && bytes[end - 1] === 0x2e ? end - 1 : end
}

/** Of fields that say how the request came here, what the instance would get counts. */
function hasField(bytes: Uint8Array, head: RequestHead, hop: Hop, asked: AskedField): boolean {
  const { name, value, forwarded } = asked
  if (forwarded !== 0) return tellsForwarded(forwarded, value, bytes, head, hop)
  const { fields } = head
  for (let i = 0; i < fields.count; i++) {
    if (!equalsFolded(bytes, fields.lineStart(i), fields.nameEnd(i), name)) continue
    if (isUntrustedClaim(fields.id(i), hop)) continue
    if (isEqual(bytes, fields.valueStart(i), fields.valueEnd(i), value)) return true
  }
  return false
}

function isEqual(bytes: Uint8Array, from: number, to: number, expected: Uint8Array): boolean {
  return to - from === expected.length && startsWith(bytes, from, expected)
}

function startsWith(bytes: Uint8Array, from: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false
  return true
}

/** Whether the path is `prefix` or goes on below it: `/api` covers `/api`, `/api/x` and `/api?y`, but not `/apis`. */
function hasPrefix(bytes: Uint8Array, head: RequestHead, prefix: Uint8Array): boolean {
  const { pathStart, targetEnd } = head
  const end = pathStart + prefix.length
  if (end > targetEnd || !startsWith(bytes, pathStart, prefix)) return false
  return end === targetEnd || prefix.at(-1) === 0x2f || bytes[end] === 0x2f || bytes[end] === 0x3f
}
