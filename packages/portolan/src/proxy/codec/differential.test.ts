import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestText } from './testing/heads.ts'
import { type Reading, readByNode } from './testing/node-reading.ts'
import { readByUs } from './testing/our-reading.ts'

/** Streams of a minute in CI, for hours on demand: `PORTOLAN_FUZZ_RUNS=1000000`. */
const numRuns = Number(process.env.PORTOLAN_FUZZ_RUNS ?? 20_000)

/** Stands after every request: whoever reads the one before it differently does not see it. */
const sentinel = 'GET /sentinel HTTP/1.1\r\nHost: sentinel\r\n\r\n'

/** Every disagreement by what the two sides made of the stream. */
const outcomes = new Map<string, number>()

function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
}

async function compare(text: string): Promise<void> {
  const ours = readByUs(text)
  const nodes = await readByNode(text)
  for (const [index, reading] of ours.requests.entries()) {
    const other = nodes.requests[index]
    if (other === undefined) {
      // Node may refuse what we accept; it must not be waiting for more of it.
      expect(nodes.refusal, `Node waits, we went on: ${JSON.stringify(text)}`).toBeDefined()
      count(`we accept, Node refuses: ${nodes.refusal}`)
      return
    }
    expect(other, JSON.stringify(text)).toEqual(reading)
  }
  if (ours.refusal !== undefined && nodes.refusal === undefined)
    count(`we refuse, Node accepts: ${ours.refusal}`)
  else if (ours.refusal !== undefined) count('both refuse')
  else count('both read the same')
  const ended = ours.requests.some(request => endsConnection(request))
  if (ours.refusal === undefined && !ended) expect(nodes.requests.length).toBe(ours.requests.length)
}

function endsConnection({ method, version, fields }: Reading): boolean {
  const connection = fields.filter(([name]) => name === 'connection').map(([, value]) => value.toLowerCase())
  return method === 'CONNECT' || version === '1.0' || connection.some(value => value.includes('close'))
}

/** What an upstream that runs Node makes of the stream that the gateway would send it. */
async function compareForwarded(text: string): Promise<void> {
  const { requests, forwarded } = readByUs(text)
  if (requests.some(request => request.method === 'CONNECT')) return
  const { requests: upstream, refusal } = await readByNode(forwarded)
  for (const [index, { method, body }] of requests.entries()) {
    const got = upstream[index]
    if (got === undefined) {
      expect(refusal, `upstream waits: ${JSON.stringify(forwarded)}`).toBeDefined()
      return
    }
    expect([got.method, got.body], JSON.stringify(forwarded)).toEqual([method, body])
    expect(got.fields.filter(([name]) => name === 'host')).toHaveLength(1)
    const framing = got.fields.filter(([name]) => name === 'content-length' || name === 'transfer-encoding')
    expect(framing.length, JSON.stringify(forwarded)).toBeLessThanOrEqual(1)
    expect(got.fields.some(([name]) => ['connection', 'keep-alive', 'te', 'upgrade'].includes(name))).toBe(
      false,
    )
  }
  expect(upstream).toHaveLength(requests.length)
}

describe('our codec beside the parser of Node', () => {
  it('reads hand-collected heads', async () => {
    const collected = [
      'GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: curl/7.88.1\r\n\r\n',
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nT: u\r\n\r\n',
      'GET http://h:8080/x?y=1 HTTP/1.1\r\nHost: h:8080\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
      'PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
      '\r\nGET /after-an-empty-line HTTP/1.1\r\nHost: a\r\n\r\n',
    ]
    for (const text of collected) {
      expect(readByUs(text + sentinel).requests, text).toHaveLength(2)
      await compare(text + sentinel)
      await compareForwarded(text + sentinel)
    }
  })

  it('accepts no stream that means something else to Node', { timeout: 600_000 }, async () => {
    outcomes.clear()
    await fc.assert(
      fc.asyncProperty(requestText, text => compare(text + sentinel)),
      { numRuns },
    )
    const rows = [...outcomes].sort((a, b) => b[1] - a[1]).map(([outcome, times]) => `${times} × ${outcome}`)
    console.info(`${numRuns} streams:\n  ${rows.join('\n  ')}`)
    expect(outcomes.get('both read the same') ?? 0).toBeGreaterThan(numRuns / 20)
    expect(outcomes.get('both refuse') ?? 0).toBeGreaterThan(numRuns / 20)
  })

  it('forwards nothing that an upstream of Node would read differently', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(requestText, text => compareForwarded(text + sentinel)),
      { numRuns },
    )
  })
})
