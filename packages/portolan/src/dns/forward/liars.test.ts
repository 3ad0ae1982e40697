import { decode } from 'dns-packet'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Opened } from '../../proxy/testing/harness.ts'
import { a, messageSaying, reading, type Saying, soa } from './testing/answers.ts'
import { openTested } from './testing/open-tested.ts'
import { queryFor, withEdns } from './testing/queries.ts'
import { scriptedUpstream } from './testing/scripted-upstream.ts'

const opened = new Opened()
afterEach(() => opened.close())

const timeoutMs = 60
/** What a busy machine may add. */
const slackMs = 3000

const saying = fc.constantFrom<Saying>(
  { answers: [a('a.example'), { type: 'CNAME', name: 'a.example', ttl: 1, data: 'b.example' }] },
  { rcode: 3, authorities: [soa('example', 9, 9)] },
  { rcode: 2 },
  { answers: Array.from({ length: 30 }, (_, index) => a('a.example', index)) },
)

/** What is done to a good answer before it is sent. */
const lie = fc.record({
  saying,
  changes: fc.array(fc.record({ at: fc.nat(120), to: fc.nat(255) }), { maxLength: 5 }),
  keepsHead: fc.boolean(),
  truncated: fc.boolean(),
  cutAt: fc.option(fc.nat(120), { nil: undefined }),
  tail: fc.uint8Array({ maxLength: 30 }),
})

type Lie = typeof lie extends fc.Arbitrary<infer Told> ? Told : never

function tell({ saying: said, changes, keepsHead, truncated, cutAt, tail }: Lie, message: Buffer): Buffer {
  const end = message.indexOf(0, 12) + 5
  const good = messageSaying(message.readUInt16BE(0), message.subarray(12, end), said)
  if (truncated) good.writeUInt16BE(good.readUInt16BE(2) | 0x0200, 2)
  for (const { at, to } of changes) {
    const place = keepsHead ? end + at : at
    if (place < good.length) good[place] = to
  }
  return Buffer.concat([
    good.subarray(0, cutAt === undefined ? good.length : keepsHead ? end + cutAt : cutAt),
    tail,
  ])
}

describe('an upstream that lies', () => {
  it('gets through to no client: each has one well-formed answer to its own question, in time', async () => {
    let told: readonly Lie[] = []
    const upstream = await scriptedUpstream(opened, message => told.map(one => tell(one, message)))
    const outcomes = new Set<number>()
    await fc.assert(
      fc.asyncProperty(fc.array(lie, { maxLength: 3 }), fc.boolean(), async (lies, edns) => {
        told = lies
        const forwarder = openTested(opened, [upstream.address], { timeoutMs })
        const query = queryFor('A.example', 1, edns ? withEdns : {})
        const from = performance.now()
        const reply = await forwarder.ask(query)
        expect(performance.now() - from).toBeLessThan(timeoutMs + slackMs)
        const read = reading(reply)
        expect(read).toMatchObject({ id: query.id, edns })
        expect(Buffer.compare(read.question, query.question)).toBe(0)
        expect(read.flags & 0x8780).toBe(0x8180 & 0x8780)
        expect(reply.length).toBeLessThanOrEqual(65_535)
        // The data of types that we know nothing of is theirs.
        if (read.records.every(({ type }) => [1, 2, 5, 6].includes(type))) decode(reply)
        outcomes.add(read.rcode)
        await forwarder.close()
      }),
      { numRuns: 150 },
    )
    expect([...outcomes].sort()).toEqual(expect.arrayContaining([0, 2, 3]))
  })

  it('is heard once when two forwarders ask each other in a circle', async () => {
    let first: ReturnType<typeof openTested> | undefined
    const seen: number[] = []
    const upstream = await scriptedUpstream(opened, message => {
      seen.push(message.length)
      const end = message.indexOf(0, 12) + 5
      const question = message.subarray(12, end)
      void first?.ask({ ...queryFor('a.example'), question })
      return []
    })
    first = openTested(opened, [upstream.address], { timeoutMs: 300 })
    expect((await first.read(queryFor('a.example'))) as unknown).toMatchObject({ rcode: 'SERVFAIL' })
    expect(seen.length).toBe(1)
  })
})
