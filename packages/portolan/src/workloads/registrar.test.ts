import { pino } from 'pino'
import { Registry as Metrics } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { tcpProber } from '../health/probes/tcp.ts'
import { scriptedHealth } from '../health/testing/scripted-health.ts'
import { openAccess } from '../registry/access/access.ts'
import { openRegistry } from '../registry/open-registry.ts'
import { parseRegistration } from '../registry/registration.ts'
import type { ViewChange } from '../registry/registry.ts'
import { openMemoryStore } from '../store/memory.ts'
import { storeLedger } from './ledger.ts'
import { accessMint, instanceTokenName, registryRegistrar } from './registrar.ts'
import { openQuay, service, until } from './testing/quay.ts'

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end()
})

/** A supervisor beside a registry in one process, as `up` has them. */
async function openHarbour(name: string) {
  const store = openMemoryStore()
  const log = pino({ level: 'silent' })
  const clock = { now: () => performance.now() }
  const access = await openAccess({ store, log, anonymous: 'none' })
  const parts = { store, clock, random: Math.random, prober: tcpProber(), log, metrics: new Metrics() }
  const registry = await openRegistry(parts)
  cleanUp.push(async () => {
    await registry.close()
    await access.close()
    await store.close()
  })
  const heard: ViewChange[] = []
  const subscription = registry.subscribe({ namespace: 'default', service: name }, undefined, change => {
    heard.push(change)
    return true
  })
  cleanUp.push(async () => subscription.close())
  const tokens: string[] = []
  const mint = accessMint(access)
  const quay = await openQuay([service(name)], {
    registrar: registryRegistrar(registry, scriptedHealth()),
    ledger: storeLedger(store),
    mint: async instance => {
      const secret = await mint(instance)
      tokens.push(secret)
      return secret
    },
  })
  cleanUp.push(() => quay.leave())
  return {
    registry,
    access,
    quay,
    heard,
    tokens,
    departures: () => heard.flatMap(change => ('gone' in change ? change.gone : [])),
  }
}

const order = { namespace: 'default', service: 'order', id: 'order-1' }

describe('a supervisor beside its registry', () => {
  it('registers as the owner that the program’s own token names, so that the program may join', async () => {
    const { registry, access, tokens } = await openHarbour('order')
    const instance = await until(() => registry.find(order))
    expect(instance).toMatchObject({ source: 'process', owner: 'instance:order/order-1', causes: [] })
    const [token] = tokens
    const identity = access.authenticate(token)
    expect(identity.name).toBe(instance.owner)
    const [port] = instance.ports
    registry.sessionOpened('s')
    const joined = await registry.register({
      registration: parseRegistration(
        { service: 'order', id: 'order-1', port: port?.number },
        { address: '127.0.0.1' },
      ),
      principal: { name: identity.name, admin: false },
      source: 'session',
      tether: 'session',
      session: 's',
    })
    expect(joined.incarnation).toBe(instance.incarnation)
  })

  it('takes an instance out the moment its process ends, and says that it exited', async () => {
    const { registry, quay, heard, departures } = await openHarbour('order')
    const before = await until(() => registry.find(order))
    heard.splice(0)
    const killedAt = performance.now()
    process.kill(Number(before.metadata.pid), 'SIGKILL')
    await until(() => departures().length > 0)
    expect(performance.now() - killedAt).toBeLessThan(500)
    expect(departures()).toEqual([{ id: 'order-1', reason: 'exited' }])
    const after = await until(() => registry.find(order))
    expect(after.incarnation).toBeGreaterThan(before.incarnation)
    expect(after.ports).toEqual(before.ports)
    await until(() => quay.state('order-1')?.phase === 'running')
    expect(await quay.ledger.load()).toHaveLength(1)
  })

  it('leaves nothing registered after its close', async () => {
    const { registry, quay } = await openHarbour('order')
    await until(() => registry.find(order))
    await quay.workloads.close()
    expect(registry.find(order)).toBeUndefined()
  })

  it('names tokens after the instance, the default namespace unsaid', () => {
    expect(instanceTokenName(order)).toBe('instance:order/order-1')
    expect(instanceTokenName({ ...order, namespace: 'staging' })).toBe('instance:staging/order/order-1')
  })
})
