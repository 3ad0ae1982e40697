import { canonicalIp } from '@portolan/core'
import packet from 'dns-packet'
import { rcodes } from '../codes.ts'
import type { Outgoing } from '../message.ts'
import type { DnsRecord } from '../record.ts'

/** A name as dns-packet has it: its labels as UTF-8 joined with dots, whatever dots and bytes are in them; `.` is the root. */
export function spelt(name: string): string {
  if (name === '') return '.'
  return name
    .split('.')
    .map(label => {
      const bytes = label.replaceAll(/\\(\d{3})/g, (_, byte: string) => String.fromCharCode(Number(byte)))
      return Buffer.from(bytes, 'latin1').toString('utf8')
    })
    .join('.')
}

export function lowerCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => letter.toLowerCase())
}

/** Of an SOA's mailbox, and of no other name, dns-packet escapes the dots within a label. */
const unescaped = (name: string): string => name.replaceAll('\\.', '.')

/** What a record says, in one line. */
function shown(record: DnsRecord): string {
  const said = `${spelt(record.name)} ${record.ttl} ${record.type}`
  switch (record.type) {
    case 'A':
      return `${said} ${record.address}`
    case 'AAAA':
      return `${said} ${canonicalIp(record.address)}`
    case 'SRV':
      return `${said} ${record.priority} ${record.weight} ${record.port} ${spelt(record.target)}`
    case 'TXT':
      return `${said} ${JSON.stringify(record.texts.length === 0 ? [''] : record.texts)}`
    case 'HINFO':
      return `${said} ${JSON.stringify([record.cpu, record.os])}`
    case 'PTR':
    case 'NS':
      return `${said} ${spelt(record.target)}`
    case 'SOA': {
      const { primary, mailbox, serial, refresh, retry, expire, minimum } = record
      return `${said} ${[spelt(primary), unescaped(spelt(mailbox)), serial, refresh, retry, expire, minimum].join(' ')}`
    }
  }
}

/** The same of what dns-packet has read. Names may end as the question was spelt; SRV targets may not. */
function shownAsRead(answer: packet.Answer): string {
  const said = `${lowerCase(answer.name)} ${'ttl' in answer ? answer.ttl : ''} ${answer.type}`
  switch (answer.type) {
    case 'A':
      return `${said} ${answer.data}`
    case 'AAAA':
      return `${said} ${canonicalIp(answer.data)}`
    case 'SRV':
      return `${said} ${answer.data.priority} ${answer.data.weight} ${answer.data.port} ${answer.data.target}`
    case 'TXT':
      return `${said} ${JSON.stringify([answer.data].flat().map(text => text.toString()))}`
    case 'HINFO':
      return `${said} ${JSON.stringify([answer.data.cpu, answer.data.os])}`
    case 'PTR':
    case 'NS':
      return `${said} ${lowerCase(answer.data)}`
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data
      const names = [lowerCase(mname), lowerCase(unescaped(rname))]
      return `${said} ${[...names, serial, refresh, retry, expire, minimum].join(' ')}`
    }
    default:
      return said
  }
}

/** What dns-packet 5 reads beyond what its types tell. */
export interface Decoded extends packet.DecodedPacket {
  readonly opcode: string
  readonly rcode: string
}

export interface Written {
  readonly answers: number
  readonly authority: number
  readonly additional: number
  readonly truncated: boolean
}

/** How much of it must be there. */
export function leastSize({ question, edns }: Outgoing): number {
  const option = edns?.cookie === undefined ? 0 : 4 + edns.cookie.length
  return 12 + (question?.length ?? 0) + (edns === undefined ? 0 : 11 + option)
}

/**
 * Has dns-packet read what {@link writeMessage} made.
 * @returns how many of the records are there
 * @throws Error where that is not what was to be said, or not as it was to be cut
 */
export function readBack(sent: Outgoing, bytes: Buffer): Written {
  const most = Math.max(leastSize(sent), Math.min(sent.limit, 65_535))
  must('size', bytes.length <= most, true)
  const read = packet.decode(bytes) as Decoded
  must('bytes behind', packet.decode.bytes, bytes.length)
  const { answers = [], authorities = [], additionals = [] } = read
  const options = additionals.filter(({ type }) => type === 'OPT')
  const added = additionals.filter(({ type }) => type !== 'OPT')
  mustBegin('answers', sent.answers, answers)
  mustBegin('authority', sent.authority, authorities)
  mustBegin('additional', sent.additional, added)
  const isCut = answers.length < sent.answers.length
  if (isCut) must('authority behind a cut', authorities.length, 0)
  if (isCut || authorities.length < sent.authority.length) must('additional behind a cut', added.length, 0)

  must('id', read.id, sent.id)
  must('type', read.type, 'response')
  must('opcode', (bytes.readUInt16BE(2) >> 11) & 15, sent.opcode ?? 0)
  must('AA', read.flag_aa, sent.authoritative)
  must('TC', read.flag_tc, isCut || sent.truncated === true)
  must('RD', read.flag_rd, sent.recursionDesired)
  must('RA', read.flag_ra, sent.recursionAvailable)
  must('Z', read.flag_z, false)
  must('AD', read.flag_ad, false)
  must('CD', read.flag_cd, sent.checkingDisabled)
  must('questions', read.questions?.length, sent.question === undefined ? 0 : 1)
  const { question = new Uint8Array() } = sent
  must('question', bytes.toString('hex', 12, 12 + question.length), Buffer.from(question).toString('hex'))
  must('RCODE', bytes.readUInt16BE(2) & 15, rcodes[sent.rcode] & 15)
  mustHaveOptions(sent, options as packet.OptAnswer[])
  return {
    answers: answers.length,
    authority: authorities.length,
    additional: added.length,
    truncated: read.flag_tc,
  }
}

function mustHaveOptions({ edns, rcode }: Outgoing, [option, ...others]: readonly packet.OptAnswer[]): void {
  must('OPT records', others.length, 0)
  must('OPT record', option !== undefined, edns !== undefined)
  if (option === undefined || edns === undefined) return
  must('OPT name', option.name, '.')
  must('OPT size', option.udpPayloadSize, edns.size)
  must('OPT version', option.ednsVersion, 0)
  must('OPT flags', option.flags, edns.dnssecOk ? 0x8000 : 0)
  must('extended RCODE', option.extendedRcode, rcodes[rcode] >> 4)
  const options = option.options.map(({ code, data }) => `${code} ${data?.toString('hex')}`)
  must(
    'options',
    options.join(),
    edns.cookie === undefined ? '' : `10 ${Buffer.from(edns.cookie).toString('hex')}`,
  )
}

function mustBegin(section: string, sent: readonly DnsRecord[], read: readonly packet.Answer[]): void {
  must(section, read.map(shownAsRead).join('\n'), sent.slice(0, read.length).map(shown).join('\n'))
}

function must<Value>(what: string, is: Value, expected: Value): void {
  if (is !== expected)
    throw new Error(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(expected)}`)
}
