import { encode } from 'dns-packet'
import { types } from '../../codec/codes.ts'
import type { Query } from '../../codec/query.ts'

let nextId = 1

/** A query as the codec would have read it. */
export function queryFor(name: string, type: number = types.A, rest: Partial<Query> = {}): Query {
  return {
    id: nextId++ & 0xffff,
    recursionDesired: true,
    checkingDisabled: false,
    name: name.toLowerCase(),
    type,
    class: 1,
    question: questionBytes(name, type),
    edns: undefined,
    ...rest,
  }
}

export const withEdns = { edns: { size: 1232, dnssecOk: false, cookie: undefined } } as const
export const withDnssec = { edns: { size: 1232, dnssecOk: true, cookie: undefined } } as const

export function questionBytes(name: string, type: number): Uint8Array {
  const whole = encode({ type: 'query', questions: [{ name: name === '' ? '.' : name, type: 'A' }] })
  const bytes = Uint8Array.from(whole.subarray(12))
  bytes[bytes.length - 4] = type >> 8
  bytes[bytes.length - 3] = type & 0xff
  return bytes
}
