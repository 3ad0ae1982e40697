import { afterAll, beforeAll, expect, it } from 'vitest'
import type { HealthReport } from '../../health/health.ts'
import { type ScriptedHealth, scriptedHealth } from '../../health/testing/scripted-health.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { why } from './shapes.ts'

const at = '2030-01-01T00:00:00.000Z'
const name = { namespace: 'default', service: 'order', id: 'order-1' }

const report: HealthReport = {
  checks: [
    {
      id: 'tcp',
      type: 'tcp',
      aim: 'port 8080',
      phase: 'new',
      reason: '',
      intervalMs: 1000,
      keptIntervalMs: 1000,
      penalty: 0,
    },
    {
      id: 'db',
      type: 'script',
      aim: '/opt/check_db.sh --replica 2',
      phase: 'critical',
      reason: 'status 2',
      lastAt: at,
      latencyMs: 1.5,
      output: 'no database',
      metrics: { lag: 3 },
      intervalMs: 1000,
      keptIntervalMs: 30_000,
      penalty: 2.5,
      heldUntil: at,
    },
  ],
  history: [{ at, by: 'db', what: 'failed: status 2' }],
}

let health: ScriptedHealth
let tested: Tested
beforeAll(async () => {
  health = scriptedHealth()
  tested = await openTested({ health })
  const answer = await fetch(`${tested.url}/api/v1/services/order/instances/order-1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"port": 8080}',
  })
  expect(answer.status).toBe(201)
})
afterAll(() => tested.close())

const ask = async (id = 'order-1') => fetch(`${tested.url}/api/v1/services/order/instances/${id}/why`)

it('says that nothing is known of an instance that nobody tests', async () => {
  const answer = why.parse(await (await ask()).json())
  expect(answer).toMatchObject({ healthy: true, causes: [], degraded: [], checks: [], history: [] })
})

it('gives everything that there is, in the shape that is documented', async () => {
  health.reports.set('order/order-1', report)
  await tested.registry.report(name, { kind: 'script', owner: 'db', reason: 'status 2' })
  const incarnation = tested.registry.find(name)?.incarnation ?? 0
  await tested.registry.judge(name, {
    incarnation,
    owner: 'http',
    degraded: { factor: 0.5, reason: 'slow answers' },
  })
  const answer: unknown = await (await ask()).json()
  expect(why.strict().parse(answer)).toEqual(answer)
  expect(answer).toMatchObject({
    healthy: false,
    causes: [{ kind: 'script', owner: 'db', reason: 'status 2' }],
    degraded: [{ owner: 'http', factor: 0.5, reason: 'slow answers' }],
    ...report,
    instance: { id: 'order-1', weight: 0.5 },
  })
})

it('is 404 for an instance that is not there', async () => {
  const answer = await ask('order-9')
  expect(answer.status).toBe(404)
  expect(await answer.json()).toMatchObject({ code: 'instance_not_found' })
})
