import { seededRandom } from '@portolan/core'
import {
  type Reading,
  type Readings,
  readByNode,
} from '../../packages/portolan/src/proxy/codec/testing/node-reading.ts'
import { readByUs } from '../../packages/portolan/src/proxy/codec/testing/our-reading.ts'
import { known } from './disagreements.ts'
import type { Fuzzer, Outcome } from './fuzzer.ts'
import { requestsOf } from './inputs.ts'

/** Stands behind every stream: whoever reads what is before it differently does not see it. */
const sentinel = 'GET /sentinel HTTP/1.1\r\nHost: sentinel\r\n\r\n'

export function streamOf(seed: number): string {
  return requestsOf(seededRandom(seed)) + sentinel
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function endsConnection({ method, version, fields }: Reading): boolean {
  const connection = fields.filter(([name]) => name === 'connection').map(([, value]) => value.toLowerCase())
  return method === 'CONNECT' || version === '1.0' || connection.some(value => value.includes('close'))
}

/** What each side made of a stream: all that both read must be the same; who reads less must have a reason. */
function compare(text: string, ours: Readings, nodes: Readings): Outcome {
  for (const [index, reading] of ours.requests.entries()) {
    const other = nodes.requests[index]
    if (other === undefined) {
      if (nodes.refusal !== undefined && reading.method === 'PRI')
        return known('requests', 'we pass, Node refuses: the method PRI')
      if (nodes.refusal !== undefined) return known('requests', `we pass, Node refuses: ${nodes.refusal}`)
      if (!isBehindUpgrade(nodes) && !asksForUpgrade(reading)) throw new Error('Node waits where we went on')
      return known('requests', 'we go on, Node does not: behind an Upgrade')
    }
    if (asksForUpgrade(reading) && other.body === '' && same({ ...other, body: reading.body }, reading))
      return known('requests', 'we go on, Node does not: behind an Upgrade')
    if (!same(other, reading))
      throw new Error(`we read ${JSON.stringify(reading)}, Node ${JSON.stringify(other)}`)
  }
  const ended = ours.requests.some(endsConnection)
  if (ours.refusal === undefined) {
    if (!ended && nodes.requests.length > ours.requests.length) throw new Error('Node reads more than we do')
    return nodes.refusal === undefined || ended
      ? 'both read the same'
      : 'both read the same, and nothing of the rest'
  }
  if (nodes.requests.length > ours.requests.length)
    return known('requests', `we refuse, Node reads: ${ours.refusal}`)
  if (nodes.refusal !== undefined) return 'both refuse'
  if (isBehindUpgrade(nodes) || /\r\nUpgrade:/i.test(text))
    return known('requests', 'we go on, Node does not: behind an Upgrade')
  if (/(?:^|\n)PRI /.test(text)) return known('requests', 'we refuse, Node waits: the method PRI')
  return known('requests', `we refuse, Node waits: ${ours.refusal}`)
}

/** Whether the last request that Node has read asks for another protocol. */
function isBehindUpgrade({ requests }: Readings): boolean {
  const last = requests.at(-1)
  return last !== undefined && asksForUpgrade(last)
}

export function asksForUpgrade({ fields }: Reading): boolean {
  return fields.some(([name]) => name === 'upgrade')
}

/** What an instance that runs Node makes of the stream as we would pass it on. */
async function comparePassedOn({ requests, forwarded }: ReturnType<typeof readByUs>): Promise<void> {
  if (requests.some(({ method }) => method === 'CONNECT')) return
  const { requests: got, refusal } = await readByNode(forwarded)
  for (const [index, { method, body }] of requests.entries()) {
    const reading = got[index]
    if (reading === undefined) {
      if (refusal === undefined) throw new Error(`an instance waits: ${JSON.stringify(forwarded)}`)
      return
    }
    const framing = reading.fields.filter(
      ([name]) => name === 'content-length' || name === 'transfer-encoding',
    )
    const hops = reading.fields.filter(([name]) =>
      ['connection', 'keep-alive', 'te', 'upgrade'].includes(name),
    )
    const hosts = reading.fields.filter(([name]) => name === 'host')
    if (
      !same([reading.method, reading.body], [method, body]) ||
      framing.length > 1 ||
      hops.length > 0 ||
      hosts.length !== 1
    )
      throw new Error(`an instance reads ${JSON.stringify(reading)}`)
  }
  if (got.length !== requests.length) throw new Error(`an instance reads more: ${JSON.stringify(forwarded)}`)
}

/** What came of our reader and of Node's for that stream, and of Node's for what we would pass on. */
export async function readBoth(text: string): Promise<Outcome> {
  const ours = readByUs(text)
  const outcome = compare(text, ours, await readByNode(text))
  await comparePassedOn(ours)
  return outcome
}

/** Our reader of requests beside Node's. */
export const requests: Fuzzer = {
  name: 'requests',
  input: streamOf,
  run: seed => readBoth(streamOf(seed)),
  close: async () => {},
}
