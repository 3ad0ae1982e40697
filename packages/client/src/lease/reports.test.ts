import type { Fault } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import { openPortolan, type Portolan } from '../portolan.ts'
import { dialWebSocket } from '../session/websocket.ts'
import { eventually } from '../testing/eventually.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { ScriptedRegistry } from '../testing/scripted-registry.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startRegistry(): Promise<ScriptedRegistry> {
  const registry = await new ScriptedRegistry({ pingMs: 50 }).start()
  ends.push(() => registry.stop())
  return registry
}

async function open(registry: ScriptedRegistry, onFault: (fault: Fault) => void = () => {}) {
  const runtime = { ...localRuntime(), dial: dialWebSocket }
  const portolan: Portolan = await openPortolan(registry.url, { onFault }, runtime, {})
  ends.push(() => portolan.close({ graceMs: 50 }))
  return portolan
}

const order1 = {
  service: 'order',
  id: 'order-1',
  port: 8080,
  checks: [{ type: 'ttl', interval: '10s' }],
} as const

describe('what a program reports of itself', () => {
  test('is told with the run that it speaks for, and no more output than is taken', async () => {
    const registry = await startRegistry()
    const lease = await (await open(registry)).register(order1)
    await lease.report({
      status: 'warning',
      check: 'jobs',
      output: `${'x'.repeat(5000)}!`,
      metrics: { queue: 7 },
    })
    await lease.report({ status: 'passing' })
    const [first, second] = registry.of('status')
    const target = { service: 'order', id: 'order-1', incarnation: 1 }
    expect(first).toMatchObject({ ...target, status: 'warning', check: 'jobs', metrics: { queue: 7 } })
    expect(first?.output).toMatch(/^x{4095}!$/)
    expect(second).toMatchObject({ ...target, status: 'passing' })
    expect(second).not.toHaveProperty('output')
    expect(registry.of('register')[0]?.instance.checks).toEqual(order1.checks)
  })

  test('passes unless it says otherwise, and is refused in words where it says what there is not', async () => {
    const registry = await startRegistry()
    const lease = await (await open(registry)).register(order1)
    await lease.report({ metrics: { 'queue/length': 7 } })
    expect(registry.of('status')).toMatchObject([{ status: 'passing', metrics: { 'queue/length': 7 } }])
    const fine = { status: 'fine' } as unknown as Parameters<typeof lease.report>[0]
    await expect(lease.report(fine)).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'a report with the status "fine"',
      hint: 'one of passing, warning, critical',
    })
    await expect(lease.report({ metrics: { 'the queue': 1 } })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'a report with a metric called "the queue"',
    })
    expect(registry.of('status')).toHaveLength(1)
  })

  test('waits out an outage, and of each check only the newest is still told', async () => {
    const registry = await startRegistry()
    const portolan = await open(registry)
    const lease = await portolan.register(order1)
    await registry.stop()
    await eventually('the end of the connection', () => !portolan.connected)
    await lease.report({ status: 'critical' })
    await lease.report({ status: 'passing' })
    await lease.report({ status: 'warning', check: 'jobs' })
    await registry.start()
    await eventually('the reports', () => registry.of('status').length === 2)
    expect(registry.of('status').map(({ status, incarnation }) => [status, incarnation])).toEqual([
      ['passing', 2],
      ['warning', 2],
    ])
    await lease.report({ status: 'passing' })
    expect(registry.of('status')).toHaveLength(3)
  })

  test('is refused where there is no such check, also when it could only be told later', async () => {
    const registry = await startRegistry()
    registry.script(({ type, seq }, peer) => {
      if (type !== 'status') return false
      peer.send({ type: 'failed', seq, code: 'invalid_request', message: 'no ttl check', retryable: false })
      return true
    })
    const faults: Fault[] = []
    const portolan = await open(registry, fault => faults.push(fault))
    const lease = await portolan.register(order1)
    await expect(lease.report({ status: 'passing' })).rejects.toMatchObject({ code: 'invalid_request' })
    await registry.stop()
    await eventually('the end of the connection', () => !portolan.connected)
    await lease.report({ status: 'passing' })
    await registry.start()
    await eventually('the refusal', () => faults.some(({ code }) => code === 'invalid_request'))
  })

  test('is told again on the next connection when this one breaks before the answer', async () => {
    const registry = await startRegistry()
    registry.script(({ type }, peer) => {
      if (type !== 'status' || registry.peers.length > 1) return false
      peer.drop()
      return true
    })
    const lease = await (await open(registry)).register(order1)
    await lease.report({ status: 'critical' })
    await eventually('the report', () => registry.of('status').length === 2)
    expect(registry.of('status')[1]).toMatchObject({ status: 'critical', incarnation: 2 })
  })

  test('has nothing to stand on once the lease is over', async () => {
    const lease = await (await open(await startRegistry())).register(order1)
    await lease.deregister()
    await expect(lease.report({ status: 'passing' })).rejects.toMatchObject({ code: 'session_closed' })
  })
})
