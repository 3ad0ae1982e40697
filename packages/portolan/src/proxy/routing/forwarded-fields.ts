import { field, type Hop, latin1, type RequestHead } from '../codec/codec.ts'

const ids: ReadonlyMap<string, number> = new Map([
  ['x-forwarded-for', field.xForwardedFor],
  ['x-forwarded-proto', field.xForwardedProto],
  ['x-forwarded-host', field.xForwardedHost],
])

/** Which field of those that the gateway itself sets; 0: another one. @param name in lower case */
export function forwardedField(name: string): number {
  return ids.get(name) ?? field.other
}

/**
 * Whether the instance would get this value in field `id`: what a trusted proxy says there, or else what is so by what the
 * gateway sees. What an untrusted client claims is never looked at.
 */
export function tellsForwarded(
  id: number,
  value: Uint8Array,
  bytes: Uint8Array,
  head: RequestHead,
  hop: Hop,
): boolean {
  const said = hop.trusted ? valuesOf(id, bytes, head) : []
  if (id === field.xForwardedFor) {
    const way = [...said.filter(one => one !== ''), hop.peer].join(', ')
    return isText(value, way)
  }
  if (said.length > 0) return said.some(one => isText(value, one))
  if (id === field.xForwardedProto) return isText(value, hop.scheme)
  const { hostStart, hostEnd } = head
  return hostEnd > hostStart && isText(value, latin1(bytes, hostStart, hostEnd))
}

/** Any other claim about the way of the request, which is passed on from trusted proxies alone: `Forwarded`, `X-Real-IP`. */
export function isUntrustedClaim(id: number, hop: Hop): boolean {
  return id === field.forwarded && !hop.trusted
}

function valuesOf(id: number, bytes: Uint8Array, { fields }: RequestHead): string[] {
  const values: string[] = []
  for (let i = 0; i < fields.count; i++)
    if (fields.id(i) === id) values.push(latin1(bytes, fields.valueStart(i), fields.valueEnd(i)))
  return values
}

function isText(value: Uint8Array, text: string): boolean {
  if (value.length !== text.length) return false
  for (let i = 0; i < text.length; i++) if (value[i] !== text.charCodeAt(i)) return false
  return true
}
