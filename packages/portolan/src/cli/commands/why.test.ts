import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, registered, type Tested } from '../../api/testing/open-tested.ts'
import type { HealthReport } from '../../health/health.ts'
import { type ScriptedHealth, scriptedHealth } from '../../health/testing/scripted-health.ts'
import { portolan } from '../testing/terminal.ts'

let health: ScriptedHealth
let tested: Tested
const ask = (...line: string[]) => portolan(line, { env: { PORTOLAN_URL: tested.url } })

const register = (service: string, id: string) => registered(tested, service, id)

const at = '2030-01-01T00:00:00.000Z'

const report: HealthReport = {
  checks: [
    {
      id: 'tcp',
      type: 'tcp',
      aim: 'port 8080',
      phase: 'passing',
      reason: '',
      lastAt: at,
      latencyMs: 0.31,
      intervalMs: 1000,
      keptIntervalMs: 30_000,
      penalty: 0,
    },
    {
      id: 'db',
      type: 'script',
      aim: '/opt/check_db.sh --replica 2',
      phase: 'critical',
      reason: 'status 2: no\u001b[31m database',
      lastAt: at,
      latencyMs: 120.4,
      output: 'line 1\nline 2\n',
      metrics: { lag: 7 },
      intervalMs: 10_000,
      keptIntervalMs: 10_000,
      penalty: 3,
      heldUntil: at,
    },
    {
      id: 'ttl',
      type: 'ttl',
      aim: 'its own reports',
      phase: 'new',
      reason: '',
      intervalMs: 10_000,
      keptIntervalMs: 10_000,
      penalty: 0,
    },
  ],
  history: [{ at, by: 'db', what: 'failed: status 2' }],
}

beforeEach(async () => {
  health = scriptedHealth()
  tested = await openTested({ health })
})
afterEach(() => tested.close())

describe('portolan why', () => {
  it('says that nothing speaks against an instance that nobody tests', async () => {
    await register('order', 'order-1')
    expect(await ask('why', 'order-1')).toEqual({
      exit: 0,
      out: 'order/order-1 at 127.0.0.1:8080: healthy\n\nno check tests it\n',
      err: '',
    })
  })

  it('says what its checks found, and never steers the terminal', async () => {
    await register('order', 'order-1')
    health.reports.set('order/order-1', report)
    await tested.registry.report(
      { namespace: 'default', service: 'order', id: 'order-1' },
      { kind: 'script', owner: 'db', reason: 'status 2' },
    )
    const { exit, out } = await ask('why', 'order-1')
    expect(exit).toBe(0)
    expect(out.replaceAll(/\d{4}-\d\d-\d\dT(?!00:00:00)[\d:.]+Z/g, 'TIME')).toMatchInlineSnapshot(`
      "order/order-1 at 127.0.0.1:8080: gets traffic only because all instances of order have causes

      CAUSE   OWNER  SINCE                     REASON
      script  db     TIME  status 2

      CHECK  TYPE    LOOKS AT                      STATE     EVERY            LATENCY  LAST                      REASON
      tcp    tcp     port 8080                     passing   30s (asked: 1s)  0.3ms    2030-01-01T00:00:00.000Z  -
      db     script  /opt/check_db.sh --replica 2  critical  10s              120ms    2030-01-01T00:00:00.000Z  status 2: no?[31m database
      ttl    ttl     its own reports               new       10s              -        -                         -

      db: held back until 2030-01-01T00:00:00.000Z: it changed too often (penalty 3)
      db: lag = 7
      db: line 1
      db: line 2

      WHEN                      BY  WHAT
      2030-01-01T00:00:00.000Z  db  failed: status 2
      "
    `)
  })

  it('says that it gets no traffic only where others are better', async () => {
    await register('order', 'order-1')
    await register('order', 'order-2')
    const name = { namespace: 'default', service: 'order', id: 'order-1' }
    await tested.registry.report(name, { kind: 'http', owner: 'http', reason: 'status 500' })
    expect((await ask('why', 'order-1')).out).toContain('8080: gets no traffic\n')
    await tested.registry.report(
      { ...name, id: 'order-2' },
      { kind: 'tcp', owner: 'tcp', reason: 'no answer' },
    )
    expect((await ask('why', 'order-1')).out).toContain('gets traffic only because all instances of order')
    expect((await ask('why', 'order-2')).out).toContain('8080: gets no traffic\n')
  })

  it('says what lowers the weight', async () => {
    await register('order', 'order-1')
    const name = { namespace: 'default', service: 'order', id: 'order-1' }
    const incarnation = tested.registry.find(name)?.incarnation ?? 0
    const degraded = { factor: 0.5, reason: 'latency 300 ms' }
    await tested.registry.judge(name, { incarnation, owner: 'http', degraded })
    expect((await ask('why', 'order-1')).out).toContain('healthy, with a lowered weight of 0.5\n')
    expect((await ask('why', 'order-1')).out).toMatch(
      /DEGRADED BY {2}WEIGHT.*\nhttp +x 0\.5 +\S+ +latency 300 ms\n/,
    )
    expect((await ask('instances', 'order')).out).toContain('healthy, degraded by http (latency 300 ms)')
  })

  it('answers programs with all of it', async () => {
    await register('order', 'order-1')
    health.reports.set('order/order-1', report)
    const answer = JSON.parse((await ask('why', 'order-1', '--service', 'order', '--json')).out)
    expect(answer).toMatchObject({
      healthy: true,
      causes: [],
      degraded: [],
      ...report,
      instance: { id: 'order-1' },
    })
  })

  it('finds it among many services, without a warning of ours', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error) => void warnings.push(warning)
    process.on('warning', listen)
    for (let index = 0; index < 40; index++) await register(`service-${index}`, `id-${index}`)
    expect((await ask('why', 'id-7')).out).toContain('service-7/id-7 at')
    // Warnings are told in a later turn.
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })

  it('wants one instance', async () => {
    await register('order', 'a')
    await register('cart', 'a')
    expect(await ask('why')).toMatchObject({ exit: 2, err: expect.stringContaining('which instance?') })
    expect((await ask('why', 'a')).err).toContain('several services have an instance a')
    expect((await ask('why', 'a', '--service', 'cart')).out).toContain('cart/a at')
    expect((await ask('why', 'cart', 'a')).out).toContain('cart/a at')
    expect(await ask('why', 'cart', 'a', '--service', 'order')).toMatchObject({ exit: 2 })
    expect(await ask('why', 'b', '--service', 'cart')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('[instance_not_found]'),
    })
  })
})
