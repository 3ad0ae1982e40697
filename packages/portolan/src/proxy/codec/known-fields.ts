import { foldedToken } from './bytes.ts'

/** The fields that a proxy must know; every other one is 0 and travels as it came. */
export const field = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  te: 7,
  upgrade: 8,
  expect: 9,
  xForwardedFor: 10,
  xForwardedProto: 11,
  xForwardedHost: 12,
  /** Any other `X-Forwarded-…`, and `Forwarded`: a client's claims about its own way here. */
  forwarded: 13,
  via: 14,
  trailer: 15,
  /** Equal to one of the above but for `_` in place of `-`: never passed on. */
  lookAlike: 16,
  /** Which gateways have sent this request on, and to which service. */
  portolanHop: 17,
  /** How many milliseconds a request has: only the gateway says that to instances. */
  requestTimeout: 18,
  date: 19,
  maxForwards: 20,
} as const

const names: readonly (readonly [string, number])[] = [
  ['host', field.host],
  ['content-length', field.contentLength],
  ['transfer-encoding', field.transferEncoding],
  ['connection', field.connection],
  ['keep-alive', field.keepAlive],
  ['proxy-connection', field.proxyConnection],
  ['te', field.te],
  ['upgrade', field.upgrade],
  ['expect', field.expect],
  ['x-forwarded-for', field.xForwardedFor],
  ['x-forwarded-proto', field.xForwardedProto],
  ['x-forwarded-host', field.xForwardedHost],
  ['forwarded', field.forwarded],
  ['x-forwarded-port', field.forwarded],
  ['x-forwarded-prefix', field.forwarded],
  ['x-forwarded-server', field.forwarded],
  ['x-forwarded-ssl', field.forwarded],
  ['x-forwarded-scheme', field.forwarded],
  ['x-real-ip', field.forwarded],
  ['via', field.via],
  ['trailer', field.trailer],
  ['portolan-hop', field.portolanHop],
  ['x-request-timeout-ms', field.requestTimeout],
  ['date', field.date],
  ['max-forwards', field.maxForwards],
]

/** The hash that the field parser runs over a name while it reads it: one multiplication a byte, never beyond 31 bits. */
export function hashStep(hash: number, foldedByte: number): number {
  return (hash * 31 + foldedByte) & 0xffff
}

const slots = 512
const nameAt: (Uint8Array | undefined)[] = new Array(slots).fill(undefined)
const idAt = new Uint8Array(slots)

for (const [name, id] of names) {
  const bytes = Uint8Array.from(name, char => char.charCodeAt(0))
  const slot = bytes.reduce(hashStep, 0) % slots
  // Two known names in one slot would hide one of them: better not to start at all.
  if (nameAt[slot] !== undefined) throw new Error(`known-fields: ${name} needs another hash`)
  nameAt[slot] = bytes
  idAt[slot] = id
}

/** Which known field the name at [from, to) is, given its hash. */
export function recognise(bytes: Uint8Array, from: number, to: number, hash: number): number {
  const slot = hash & (slots - 1)
  const name = nameAt[slot]
  if (name === undefined || name.length !== to - from) return field.other
  let underscores = 0
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[from + i] as number
    if (foldedToken[byte] !== name[i]) return field.other
    if (byte === 0x5f) underscores++
  }
  return underscores > 0 ? field.lookAlike : (idAt[slot] as number)
}
