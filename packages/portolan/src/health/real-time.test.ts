import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { type Check, checkDefaults, type Instance, type InstanceName, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { expect, it } from 'vitest'
import type { InstanceObserver, Registry, Verdict } from '../registry/registry.ts'
import { openHealth } from './open-health.ts'
import type { Finding, Probe, ProbeTarget } from './probes/probe.ts'

const count = 10_000
const intervalMs = 2000
const check: Check = {
  ...{ id: 'tcp', type: 'tcp', timeoutMs: checkDefaults.timeoutMs, rise: 2 },
  intervalMs,
}

/** As far as health checking needs one: it tells of instances, and writes down verdicts. */
function registryOf(instances: readonly Instance[]) {
  const outs = new Set<string>()
  const judge = async ({ id }: InstanceName, { cause }: Verdict): Promise<void> => {
    if (cause?.reason !== undefined) outs.add(id)
  }
  const observe = (observer: InstanceObserver) => {
    for (const instance of instances) observer.present({ instance, checks: [check], tether: 'static' })
    return () => {}
  }
  return { outs, registry: { judge, observe, proved() {} } as unknown as Registry }
}

function instanceOf(index: number): Instance {
  const name = { namespace: 'default', service: `s${index % 100}`, id: `i${index}` }
  const rest = { weight: 1, tags: [], metadata: {}, source: 'x', owner: 'x', incarnation: 1, causes: [] }
  return {
    ...name,
    addresses: ['127.0.0.1'],
    ports: [{ name: 'p', number: 1, protocol: 'tcp', tls: false }],
    ...rest,
  }
}

it('keeps 10,000 checks going in real time, and blames nobody for a pause of our own', async () => {
  const looks = new Map<string, number>()
  const well: Finding = { status: 'passing', presence: 'answered', reason: '', latencyMs: 0.2 }
  let dead = 'nobody'
  let open = 0
  let most = 0
  const probe: Probe = {
    start({ instance }: ProbeTarget, settle) {
      looks.set(instance.id, (looks.get(instance.id) ?? 0) + 1)
      most = Math.max(most, ++open)
      let immediate: NodeJS.Immediate | undefined
      if (instance.id !== dead) {
        immediate = setImmediate(() => {
          open--
          immediate = undefined
          settle(well)
        })
      }
      return {
        cancel() {
          open--
          if (immediate !== undefined) clearImmediate(immediate)
        },
      }
    },
    async close() {},
  }
  const { outs, registry } = registryOf(Array.from({ length: count }, (_, index) => instanceOf(index)))
  const health = openHealth({
    clock: { now: () => performance.now() },
    random: seededRandom(1),
    log: pino({ level: 'silent' }),
    metrics: new MetricsRegistry(),
    probes: { tcp: probe as never },
    // As if there were traffic enough: nothing is stretched.
    limits: { maxPerSecond: 1e6, concurrency: 512 },
  })
  try {
    health.attach(registry)
    await expect.poll(() => looks.size, { timeout: 15_000 }).toBe(count)
    const from = performance.now()
    while (performance.now() - from < 800);
    dead = 'i77'
    await expect.poll(() => outs.size, { timeout: 15_000 }).toBeGreaterThan(0)
    await setTimeout(1000)
    expect([...outs]).toEqual(['i77'])
    expect(most).toBeLessThanOrEqual(512)
  } finally {
    await health.close()
  }
  expect(open).toBe(0)
})
