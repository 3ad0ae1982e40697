import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { canonicalIp } from '@portolan/core'
import type { DnsRecord } from '../../packages/portolan/src/dns/codec/record.ts'

/** What dig says of one answer. */
export interface Dug {
  readonly status: string
  readonly opcode: string
  readonly flags: readonly string[]
  /** The EDNS line and those below it, without their `; `. */
  readonly edns: readonly string[]
  readonly answer: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  readonly additional: readonly DnsRecord[]
  /** Whatever dig warns of. */
  readonly warnings: readonly string[]
  readonly overTcp: boolean
}

const shown = ['+nocmd', '+noall', '+comments', '+answer', '+authority', '+additional', '+norecurse']
const patience = ['+tries=2', '+time=5']

/** Asks as many questions as there are lists of arguments, and reads what comes of each. */
export async function dig(port: number, ...questions: readonly (readonly string[])[]): Promise<Dug[]> {
  const server = ['@127.0.0.1', '-p', String(port)]
  const args = questions.flatMap(question => [...server, ...shown, ...patience, ...question])
  const options = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } }
  const { stdout } = await promisify(execFile)('dig', args, options)
  const texts = stdout
    .split(/^(?=;; (?:Truncated, retrying in TCP mode|Got answer))/m)
    .filter(text => text.startsWith(';;'))
  const found: Dug[] = []
  let overTcp = false
  for (const text of texts) {
    if (text.startsWith(';; Truncated')) overTcp = true
    else {
      found.push(dugOf(text, overTcp))
      overTcp = false
    }
  }
  return found
}

function dugOf(text: string, overTcp: boolean): Dug {
  const [, opcode = '', status = ''] = /opcode: (\w+), status: (\w+)/.exec(text) ?? []
  const [, flags = ''] = /^;; flags: ([\w ]*);/m.exec(text) ?? []
  const section = (name: string): DnsRecord[] => {
    const [, lines = ''] = new RegExp(`^;; ${name} SECTION:\n((?:[^;\n].*\n)*)`, 'm').exec(text) ?? []
    return lines
      .split('\n')
      .filter(line => line !== '')
      .map(recordOf)
  }
  const edns = [...text.matchAll(/^; ((?:EDNS|COOKIE):.*)$/gm)].map(([, line = '']) => line)
  return {
    status,
    opcode,
    flags: flags.split(' ').filter(flag => flag !== ''),
    edns,
    answer: section('ANSWER'),
    authority: section('AUTHORITY'),
    additional: section('ADDITIONAL'),
    warnings: text.split('\n').filter(line => /warning|malformed|mismatch/i.test(line)),
    overTcp,
  }
}

/** A line of a zone file (RFC 1035 section 5.1) as dig writes it. */
function recordOf(line: string): DnsRecord {
  const [, owner = '', ttl = '', type = '', data = ''] =
    /^(\S+)\s+(\d+)\s+IN\s+(\S+)\s+(.*)$/.exec(line) ?? []
  const rest = { name: nameOf(owner), ttl: Number(ttl) }
  const words = data.split(' ')
  const [first = '', second = '', ...others] = words
  switch (type) {
    case 'A':
      return { ...rest, type, address: data }
    case 'AAAA':
      return { ...rest, type, address: canonicalIp(data) ?? data }
    case 'PTR':
    case 'NS':
      return { ...rest, type, target: nameOf(data) }
    case 'TXT':
      return { ...rest, type, texts: textsOf(data) }
    case 'HINFO': {
      const [cpu = '', os = ''] = textsOf(data)
      return { ...rest, type, cpu, os }
    }
    case 'SRV': {
      const [port, target = ''] = others
      const numbers = { priority: Number(first), weight: Number(second), port: Number(port) }
      return { ...rest, type, ...numbers, target: nameOf(target) }
    }
    case 'SOA': {
      const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = others.map(Number)
      const names = { primary: nameOf(first), mailbox: nameOf(second) }
      return { ...rest, type, ...names, serial, refresh, retry, expire, minimum }
    }
    default:
      throw new Error(`dig says: ${line}`)
  }
}

/** BIND escapes a few visible characters by themselves; our texts have decimal values alone. */
function nameOf(text: string): string {
  const escaped = text.replaceAll(/\\(\D)/g, (_, char: string) =>
    char === '.' || char === '\\' ? `\\${String(char.charCodeAt(0)).padStart(3, '0')}` : char,
  )
  return escaped.replace(/\.$/, '')
}

function textsOf(data: string): string[] {
  return [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => {
    const bytes = text.replaceAll(/\\(\d{3}|.)/g, (_, escaped: string) =>
      escaped.length === 3 ? String.fromCharCode(Number(escaped)) : escaped,
    )
    return Buffer.from(bytes, 'latin1').toString('utf8')
  })
}
