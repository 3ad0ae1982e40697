import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { Deadlines } from '../deadlines.ts'
import { fixture } from '../testing/fixture.ts'
import { eventually } from '../testing/harness.ts'
import { otlpReceiver } from '../testing/otlp-receiver.ts'
import { encodeSpan } from './otlp.ts'
import { SpanExporter } from './span-exporter.ts'

const { opened } = fixture()

let made = 0
const span = () =>
  encodeSpan({
    traceId: 'a'.repeat(32),
    spanId: (++made).toString(16).padStart(16, '0'),
    parentId: '',
    isRemote: false,
    traceState: '',
    name: 'GET',
    kind: 2,
    startMs: 1_800_000_000_000.25,
    endMs: 1_800_000_000_001,
    attributes: { a: 'text', b: 1, c: 0.5, d: true, e: undefined },
    isError: made % 2 === 0,
  })

/** An exporter whose time the test makes: a second a step. */
async function exporting(url?: string) {
  const receiver = await otlpReceiver(opened)
  const deadlines = new Deadlines(1000)
  const counts = { exported: 0, dropped: 0, rejected: 0, failures: 0 }
  const logged: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(line) })
  const exporter = new SpanExporter({
    endpoint: url ?? receiver.url,
    deadlines,
    random: () => 0.5,
    log,
    counts,
  })
  exporter.resource = { 'service.name': 'test' }
  opened.add(() => exporter.close())
  const seconds = (count: number): void => {
    for (let step = 0; step < count; step++) {
      deadlines.sweep()
      exporter.turn()
    }
  }
  const settled = async (requests: number): Promise<void> => {
    await eventually(() => receiver.requests === requests)
    await eventually(() => counts.exported + counts.dropped + counts.rejected + counts.failures > 0)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return { receiver, exporter, counts, logged, seconds, settled }
}

describe('SpanExporter', () => {
  it('sends what has gathered, in the form that OTLP wants', async () => {
    const { receiver, exporter, counts, seconds } = await exporting()
    exporter.add(span())
    exporter.add(span())
    seconds(1)
    expect(receiver.requests).toBe(0)
    seconds(1)
    await eventually(() => counts.exported === 2)
    expect(receiver.mistakes).toEqual([])
    expect(receiver.spans).toHaveLength(2)
    expect(receiver.spans[0]).toMatchObject({
      startTimeUnixNano: '1800000000000250000',
      attributes: { a: 'text', b: 1, c: 0.5, d: true },
      resource: { 'service.name': 'test' },
    })
    seconds(10)
    expect(receiver.requests).toBe(1)
  })

  it('tries again what may be taken later, ever more rarely, and says so once', async () => {
    const { receiver, exporter, counts, logged, seconds, settled } = await exporting()
    receiver.answer({ status: 503 })
    exporter.add(span())
    seconds(2)
    await settled(1)
    seconds(1)
    await settled(2)
    seconds(1)
    expect(receiver.requests).toBe(2)
    seconds(1)
    await settled(3)
    receiver.answer(undefined)
    seconds(4)
    await eventually(() => counts.exported === 1)
    expect(counts).toEqual({ exported: 1, dropped: 0, rejected: 0, failures: 3 })
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain('it answered 503')
  })

  it('waits for as long as it is told to', async () => {
    const { receiver, exporter, counts, seconds, settled } = await exporting()
    receiver.answer({ status: 429, headers: { 'retry-after': '20' } })
    exporter.add(span())
    seconds(2)
    await settled(1)
    receiver.answer(undefined)
    seconds(19)
    expect(receiver.requests).toBe(1)
    seconds(1)
    await eventually(() => counts.exported === 1)
  })

  it('does not try again what is refused for good, and counts what was refused in part', async () => {
    const { receiver, exporter, counts, seconds } = await exporting()
    receiver.answer({ status: 400 })
    exporter.add(span())
    seconds(2)
    await eventually(() => counts.rejected === 1)
    const body = '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}'
    receiver.answer({ status: 200, body })
    exporter.add(span())
    exporter.add(span())
    seconds(2)
    await eventually(() => counts.rejected === 2)
    expect(counts).toEqual({ exported: 1, dropped: 0, rejected: 2, failures: 1 })
  })

  it('gives up in the end, and keeps no more than it may', async () => {
    const { exporter, counts, seconds } = await exporting('http://127.0.0.1:1/v1/traces')
    for (let count = 0; count < 3000; count++) exporter.add(span())
    expect(counts.dropped).toBe(952)
    seconds(1)
    for (let failures = 1; failures <= 6; failures++) {
      await eventually(() => counts.failures === failures)
      await new Promise(resolve => setTimeout(resolve, 5))
      seconds(40)
    }
    expect(counts.dropped).toBe(952 + 512)
  })

  it('sends what is left when it is closed', async () => {
    const { receiver, exporter, counts } = await exporting()
    for (let count = 0; count < 1200; count++) exporter.add(span())
    await exporter.close()
    expect(receiver.spans).toHaveLength(1200)
    expect(receiver.mistakes).toEqual([])
    exporter.add(span())
    expect(counts).toEqual({ exported: 1200, dropped: 1, rejected: 0, failures: 0 })
  })
})
