/**
 * The two messages of `grpc.health.v1.Health/Check`, in the framing of gRPC: a flag, four bytes of length, protobuf.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */

const prefixBytes = 5
/** Field 1, length-delimited; field 1, varint. */
const serviceTag = 0x0a
const statusTag = 0x08

/** ServingStatus, as far as it is standard. */
export const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const

/** An answer is two bytes, and more only when somebody adds fields. */
export const maxAnswerBytes = 4096

export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const field = name.length === 0 ? [] : [Buffer.from([serviceTag, ...varint(name.length)]), name]
  const message = Buffer.concat(field)
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** The status number of an answer, of which nothing is missing; undefined = that is no health answer. */
export function healthStatus(bytes: Buffer): number | undefined {
  if (bytes.length < prefixBytes || bytes[0] !== 0) return undefined
  if (bytes.readUInt32BE(1) !== bytes.length - prefixBytes) return undefined
  let status = 0
  let at = prefixBytes
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    if (tag === undefined) return undefined
    const next = skip(bytes, tag.value & 7, tag.end)
    if (next === undefined) return undefined
    if (tag.value === statusTag) status = readVarint(bytes, tag.end)?.value ?? 0
    at = next
  }
  return status
}

/** Past one field of that wire type; undefined = it goes beyond the end, or is of no known type. */
function skip(bytes: Buffer, type: number, at: number): number | undefined {
  const value = type === 0 || type === 2 ? readVarint(bytes, at) : undefined
  if ((type === 0 || type === 2) && value === undefined) return undefined
  const end =
    type === 0
      ? value?.end
      : type === 1
        ? at + 8
        : type === 2
          ? (value?.end ?? 0) + (value?.value ?? 0)
          : type === 5
            ? at + 4
            : undefined
  return end !== undefined && end <= bytes.length ? end : undefined
}

function readVarint(bytes: Buffer, from: number): { value: number; end: number } | undefined {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) return undefined
    // Beyond 49 bits a double is not exact: no health answer has such a number.
    if (i < 7) value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, end: from + i + 1 }
  }
  return undefined
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return [...bytes, rest]
}
