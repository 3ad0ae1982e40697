import { parseIpv6 } from '@portolan/core'
import { types } from './codes.ts'
import { header, largestMessage } from './header.ts'
import { writeUint16, writeUint32 } from './integers.ts'
import { isName, readName, writeLabel } from './names.ts'
import type { DnsRecord } from './record.ts'

/** Positions from here on are beyond what a pointer's 14 bits can say. */
const pointable = 0x4000
const classIn = 1
/** More than any record has but TXT, which looks where it is as it goes. */
const largestRecord = 1_024
/** Where messages are put together, before it is known how long they get. */
const scratch = Buffer.allocUnsafeSlow(largestMessage + largestRecord)
const DOT = 0x2e

/**
 * What follows a header, as it is put together: records, and where their names can be pointed to (RFC 1035 section
 * 4.1.4). One at a time: all share the same bytes.
 */
export class MessageBody {
  /** Behind the last byte written. */
  at: number = header.end
  readonly bytes: Buffer = scratch
  readonly #limit: number
  #question: string | undefined
  /** Each name that was written and each that it ends with, and where. */
  #names: Map<string, number> | undefined

  constructor(question: Uint8Array | undefined, limit: number) {
    this.#limit = limit
    if (question === undefined) return
    this.bytes.set(question, this.at)
    this.at += question.length
    this.#question = readName(this.bytes.subarray(0, this.at), header.end)?.text
  }

  /**
   * Writes a record where it fits. Behind one that did not, nothing more is to be written.
   * @throws RangeError for what no record can say
   */
  write(record: DnsRecord): boolean {
    const start = this.at
    this.#owner(record.name)
    const fixed = this.at
    writeUint16(this.bytes, fixed, types[record.type])
    writeUint16(this.bytes, fixed + 2, classIn)
    writeUint32(this.bytes, fixed + 4, record.ttl)
    this.at = fixed + 10
    this.#data(record)
    if (this.at > this.#limit) {
      this.at = start
      return false
    }
    writeUint16(this.bytes, fixed + 8, this.at - fixed - 10)
    return true
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case 'A':
        this.#ipv4(record.address)
        return
      case 'AAAA':
        this.#ipv6(record.address)
        return
      case 'SRV':
        this.#uint16(record.priority)
        this.#uint16(record.weight)
        this.#uint16(record.port)
        // "Name compression is not to be used for this field" (RFC 2782): Go's resolver refuses it up to Go 1.21, c-ares
        // from 1.34.8 on (Node 26.6), and a cache that knows no SRV passes on pointers into a message that is gone.
        this.#name(record.target, false)
        return
      case 'PTR':
      case 'NS':
        this.#name(record.target, true)
        return
      case 'TXT':
        this.#texts(record.texts)
        return
      case 'HINFO':
        this.#texts([record.cpu, record.os])
        return
      case 'SOA':
        this.#name(record.primary, true)
        this.#name(record.mailbox, true)
        this.#uint32(record.serial)
        this.#uint32(record.refresh)
        this.#uint32(record.retry)
        this.#uint32(record.expire)
        this.#uint32(record.minimum)
        return
      default:
        record satisfies never
    }
  }

  #uint16(value: number): void {
    writeUint16(this.bytes, this.at, value)
    this.at += 2
  }

  #uint32(value: number): void {
    writeUint32(this.bytes, this.at, value)
    this.at += 4
  }

  #ipv4(address: string): void {
    const { bytes } = this
    let byte = 0
    let digits = 0
    let dots = 0
    for (let i = 0; i < address.length; i++) {
      const code = address.charCodeAt(i)
      if (code === DOT && digits > 0) {
        bytes[this.at++] = byte
        dots++
        byte = 0
        digits = 0
        continue
      }
      byte = byte * 10 + code - 0x30
      digits++
      if (code < 0x30 || code > 0x39 || byte > 255 || dots > 3) throw unsayable('IPv4 address', address)
    }
    if (dots !== 3 || digits === 0) throw unsayable('IPv4 address', address)
    bytes[this.at++] = byte
  }

  #ipv6(address: string): void {
    const ip = parseIpv6(address)
    if (ip === undefined) throw unsayable('IPv6 address', address)
    for (const group of ip.groups) this.#uint16(group)
  }

  #texts(texts: readonly string[]): void {
    // There is at least one (RFC 1035 section 3.3.14).
    for (const text of texts.length === 0 ? [''] : texts) {
      const size = Buffer.byteLength(text)
      if (size > 255) throw unsayable('text of at most 255 bytes', text)
      this.bytes[this.at] = size
      this.bytes.write(text, this.at + 1, 'utf8')
      this.at += 1 + size
      if (this.at > this.#limit) return
    }
  }

  /** Mostly the name that was asked for. */
  #owner(name: string): void {
    if (name === this.#question) this.#uint16(0xc000 | header.end)
    else this.#name(name, true)
  }

  #name(name: string, mayPoint: boolean): void {
    this.#names ??= this.#namesOfQuestion()
    const names = this.#names
    let from = 0
    let known: number | undefined
    while (from < name.length) {
      const rest = from === 0 ? name : name.slice(from)
      known = names.get(rest)
      if (known !== undefined) break
      if (from === 0 && !isName(name)) throw unsayable('name', name)
      if (this.at < pointable) names.set(rest, this.at)
      from = this.#label(name, from)
    }
    if (known !== undefined && mayPoint) {
      this.#uint16(0xc000 | known)
      return
    }
    while (from < name.length) from = this.#label(name, from)
    this.bytes[this.at++] = 0
  }

  /** @returns where the next label begins */
  #label(name: string, from: number): number {
    const dot = name.indexOf('.', from)
    const end = dot < 0 ? name.length : dot
    this.at += writeLabel(name, from, end, this.bytes, this.at)
    return end + 1
  }

  #namesOfQuestion(): Map<string, number> {
    const names = new Map<string, number>()
    const name = this.#question ?? ''
    let at: number = header.end
    for (let from = 0; from < name.length; ) {
      names.set(from === 0 ? name : name.slice(from), at)
      const dot = name.indexOf('.', from)
      from = dot < 0 ? name.length : dot + 1
      at += 1 + (this.bytes[at] as number)
    }
    return names
  }
}

function unsayable(what: string, value: string): RangeError {
  return new RangeError(`no ${what}: ${JSON.stringify(value)}`)
}
