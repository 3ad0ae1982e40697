import {
  equalsFolded,
  field,
  isNamedByConnection,
  latin1,
  type RequestHead,
  type ResponseHead,
} from './codec/codec.ts'

/** One protocol, with its version or without: `websocket`, `SPDY/3.1`. */
const protocolPattern = /^[!#$%&'*+.^_`|~\w-]+(\/[!#$%&'*+.^_`|~\w-]+)?$/
/** HTTP itself, and TLS below it: requests in such a tunnel would pass by the routes, and by all that looks at requests. */
const aroundRoutes = /^(h2c?|https?|tls)(\/|$)/i

/**
 * The protocol that a request asks to go on with (RFC 9110 section 7.8); undefined = none that is served here: its
 * Upgrade is ignored then, as the RFC allows. A list is ignored, too: who chooses from it is the instance, and it might
 * choose what is left out here.
 */
export function upgradeOf(bytes: Uint8Array, { fields, minor, connection }: RequestHead): string | undefined {
  if (minor === 0 || !connection.namesFields) return undefined
  let found = -1
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== field.upgrade) continue
    if (found >= 0) return undefined
    found = i
  }
  if (found < 0 || !isNamedByConnection(bytes, fields, found)) return undefined
  const protocol = latin1(bytes, fields.valueStart(found), fields.valueEnd(found))
  return protocolPattern.test(protocol) && !aroundRoutes.test(protocol) ? protocol : undefined
}

/** The two lines, with CRLF, that ask for `protocol`, or say that it is spoken from now on. */
export function upgradeLines(protocol: string): `Connection: Upgrade\r\nUpgrade: ${string}\r\n` {
  return `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`
}

/** Whether a 101 switches to `protocol`, and to nothing else. */
export function switchesTo(bytes: Uint8Array, { fields, minor }: ResponseHead, protocol: string): boolean {
  let named = 0
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== field.upgrade) continue
    if (!equalsFolded(bytes, fields.valueStart(i), fields.valueEnd(i), protocol.toLowerCase())) return false
    named++
  }
  return minor === 1 && named === 1
}
