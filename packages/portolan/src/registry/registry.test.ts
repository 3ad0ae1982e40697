import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isHealthy } from '@portolan/core'
import { afterAll, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../store/lmdb.ts'
import { openMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import {
  admin,
  nameOf,
  openTested,
  order,
  owner,
  record,
  register,
  registrationOf,
} from './testing/open-tested.ts'

const root = mkdtempSync(join(tmpdir(), 'portolan-registry-'))
const opened: Store[] = []
const remember = (store: Store): Store => {
  opened.push(store)
  return store
}

afterAll(async () => {
  await Promise.all(opened.map(store => store.close()))
  rmSync(root, { recursive: true, force: true })
})

const stores: readonly (readonly [string, () => Promise<Store>])[] = [
  ['memory', async () => remember(openMemoryStore())],
  ['lmdb', async () => remember(await openLmdbStore({ directory: join(root, String(opened.length)) }))],
]

describe.each(stores)('the registry over the %s store', (_, openStore) => {
  const open = async (settings = {}) => openTested({ store: await openStore(), settings })

  describe('registering', () => {
    it('is there when it resolves, and again with the same incarnation', async () => {
      const tested = await open()
      const first = await register(tested, 'a')
      expect(tested.registry.find(nameOf('a'))).toMatchObject({
        id: 'a',
        owner: 'shop',
        incarnation: first.incarnation,
      })
      const { cursor } = tested.registry
      const again = await register(tested, 'a')
      expect(again.incarnation).toBe(first.incarnation)
      expect(tested.registry.cursor).toEqual(cursor)
    })

    it('updates what the owner changed, in place', async () => {
      const tested = await open()
      const first = await register(tested, 'a')
      const second = await register(tested, 'a', { version: '2', weight: 3 })
      expect(second.incarnation).toBe(first.incarnation)
      expect(tested.registry.find(nameOf('a'))).toMatchObject({ version: '2', weight: 3 })
      expect(second.cursor.revision).toBeGreaterThan(first.cursor.revision)
    })

    it('refuses an id of another owner, to admins as well', async () => {
      const tested = await open()
      await register(tested, 'a')
      await expect(register(tested, 'a', { principal: admin })).rejects.toMatchObject({
        code: 'instance_owned_by_other',
      })
    })

    it('takes a thousand at once, and the same id from ten at once', async () => {
      const tested = await open()
      await Promise.all(Array.from({ length: 1000 }, (_, index) => register(tested, `i${index}`)))
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => register(tested, 'same', { version: `${index}` })),
      )
      expect(tested.registry.view(order).instances).toHaveLength(1001)
      expect(tested.registry.services()).toEqual([{ name: order, instances: 1001, healthy: 1001 }])
    })

    it('keeps to the caps, for bursts too', async () => {
      const tested = await open({ instancesPerService: 5, instancesPerOwner: 7 })
      const burst = (service: string) =>
        Promise.allSettled(
          Array.from({ length: 9 }, (_, index) => register(tested, `i${index}`, { service })),
        )
      const refused = (await burst('order')).filter(({ status }) => status === 'rejected')
      expect(refused).toHaveLength(4)
      expect(refused[0]).toMatchObject({ reason: { code: 'too_many' } })
      expect((await burst('cart')).filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    })

    it('wants an open session', async () => {
      const tested = await open()
      await expect(register(tested, 'a', { session: 's' })).rejects.toMatchObject({ code: 'session_closed' })
    })
  })

  describe('leaving', () => {
    it('tells the reason', async () => {
      const tested = await open()
      const { incarnation } = await register(tested, 'a')
      const { changes } = record(tested)
      await tested.registry.deregister(nameOf('a'), owner, { incarnation })
      await tested.time.pass(0)
      expect(changes.at(-1)).toMatchObject({ kind: 'delta', put: [], gone: [{ id: 'a', reason: 'goodbye' }] })
      expect(tested.registry.view(order).instances).toEqual([])
      expect(await tested.metric('portolan_registry_removals_total')).toBe(1)
    })

    it('is for the owner and admins', async () => {
      const tested = await open()
      await register(tested, 'a')
      const other = { name: 'other', admin: false }
      await expect(tested.registry.deregister(nameOf('a'), other)).rejects.toMatchObject({
        code: 'forbidden',
      })
      await tested.registry.deregister(nameOf('a'), admin)
      await expect(tested.registry.deregister(nameOf('a'), admin)).rejects.toMatchObject({
        code: 'instance_not_found',
      })
    })

    it('lets the successor stay when the goodbye of an earlier run comes late', async () => {
      const tested = await open()
      const first = await register(tested, 'a')
      await tested.registry.deregister(nameOf('a'), owner, { incarnation: first.incarnation })
      const second = await register(tested, 'a')
      expect(second.incarnation).toBeGreaterThan(first.incarnation)
      await tested.registry.deregister(nameOf('a'), owner, { incarnation: first.incarnation })
      expect(tested.registry.find(nameOf('a'))?.incarnation).toBe(second.incarnation)
      expect(() => tested.registry.renew(nameOf('a'), owner, first.incarnation)).toThrow(/newer run/)
    })
  })

  describe('overrides', () => {
    it('outlive a restart, a goodbye and the next registration', async () => {
      const tested = await open()
      await register(tested, 'a')
      const overridden = await tested.registry.override(nameOf('a'), admin, {
        weight: 7,
        outOfService: true,
        reason: 'disk',
      })
      expect(overridden).toMatchObject({
        weight: 7,
        causes: [{ kind: 'operator', owner: 'root', reason: 'disk' }],
      })
      await tested.registry.deregister(nameOf('a'), owner)
      const again = await tested.restart()
      expect(again.registry.services()).toEqual([])
      await register(again, 'a', { weight: 2 })
      expect(again.registry.find(nameOf('a'))).toMatchObject({ weight: 7, causes: [{ kind: 'operator' }] })
      await again.registry.override(nameOf('a'), admin, {})
      expect(again.registry.find(nameOf('a'))).toMatchObject({ weight: 2, causes: [] })
    })
  })

  describe('causes', () => {
    it('come and go by kind and owner, and go with their run', async () => {
      const tested = await open()
      await register(tested, 'a')
      const report = (ownerOfCause: string, reason: string | undefined) =>
        tested.registry.report(nameOf('a'), { kind: 'http', owner: ownerOfCause, reason })
      await Promise.all([report('c1', '500'), report('c2', '503'), report('c1', undefined)])
      expect(tested.registry.find(nameOf('a'))?.causes).toMatchObject([{ kind: 'http', owner: 'c2' }])
      expect(tested.registry.services()[0]?.healthy).toBe(0)
      await register(tested, 'a', { port: 9090 })
      expect(tested.registry.find(nameOf('a'))).toSatisfy(isHealthy)
      await expect(
        tested.registry.report(nameOf('b'), { kind: 'http', owner: 'c', reason: 'x' }),
      ).rejects.toMatchObject({
        code: 'instance_not_found',
      })
    })
  })

  describe('a set', () => {
    it('is ordered, immutable in what it said, and survives structuredClone', async () => {
      const tested = await open()
      for (const id of ['c', 'a', 'b']) await register(tested, id)
      const before = tested.registry.view(order)
      await tested.registry.deregister(nameOf('b'), owner)
      await register(tested, 'd')
      expect(before.instances.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
      const after = tested.registry.view(order)
      expect(after.instances.map(({ id }) => id)).toEqual(['a', 'c', 'd'])
      expect(structuredClone(after)).toEqual(after)
      expect(after.instances[0]).toMatchObject(registrationOf('a'))
    })
  })
})
