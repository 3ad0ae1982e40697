import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** One record as `dig` shows it: `order.portolan. 1 IN A 10.0.0.5`. */
export interface Shown {
  readonly name: string
  readonly ttl: number
  readonly type: string
  readonly data: string
}

/** What `dig` read of an answer. */
export interface Dug {
  readonly status: string
  readonly opcode: string
  /** `qr aa rd`. */
  readonly flags: string
  /** As the answer repeats it: `order.portolan.` */
  readonly question: string
  readonly answer: readonly Shown[]
  readonly authority: readonly Shown[]
  readonly additional: readonly Shown[]
  /** All that it printed. */
  readonly whole: string
}

/** Asks by `dig ARG…`, at 127.0.0.1 and once only. */
export async function dig(port: number, ...args: readonly string[]): Promise<Dug> {
  const fixed = ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=3']
  const child = spawn('dig', [...fixed, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return readDig(await text(child.stdout))
}

function readDig(whole: string): Dug {
  const first = (pattern: RegExp): string => pattern.exec(whole)?.[1] ?? ''
  return {
    whole,
    status: first(/status: (\w+)/),
    opcode: first(/opcode: (\w+)/),
    flags: first(/^;; flags: ([a-z ]*);/m),
    question: first(/;; QUESTION SECTION:\n;(\S+)/),
    answer: section(whole, 'ANSWER'),
    authority: section(whole, 'AUTHORITY'),
    additional: section(whole, 'ADDITIONAL'),
  }
}

function section(whole: string, name: string): readonly Shown[] {
  const lines = new RegExp(`;; ${name} SECTION:\\n((?:[^;\\n].*\\n)*)`).exec(whole)?.[1] ?? ''
  return lines
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [owner = '', ttl = '', , type = '', ...data] = line.split(/\s+/)
      return { name: owner, ttl: Number(ttl), type, data: data.join(' ') }
    })
}
