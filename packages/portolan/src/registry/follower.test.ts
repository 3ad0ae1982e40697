import { Fault } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { nameOf, openTested, order, owner, record, register } from './testing/open-tested.ts'
import { settle } from './testing/virtual-time.ts'

/** A memory store whose watches end when a test says so, and whose commits fail as often as it says. */
function unreliableStore() {
  const store = openMemoryStore()
  const failing = { commits: 0, watchEnds: undefined as (() => void) | undefined, conflicts: 0 }
  const unreliable: Store = {
    ...store,
    async commit(commit) {
      if (failing.commits-- > 0)
        throw new Fault('store_failed', 'disk', { source: 'internal', retryable: true })
      return store.commit(commit)
    },
    async *watch(prefix, from, signal) {
      const broken = new AbortController()
      failing.watchEnds = () => broken.abort()
      for await (const change of store.watch(prefix, from, AbortSignal.any([signal, broken.signal])))
        yield change
      if (!signal.aborted)
        throw new Fault('store_compacted', 'too old', { source: 'internal', retryable: true })
    },
  }
  return { store, unreliable, failing }
}

describe('a registry over a store that fails', () => {
  it('takes everything anew when its watch lost the thread, and tells only what differs', async () => {
    const { store, unreliable, failing } = unreliableStore()
    const tested = await openTested({ store: unreliable })
    for (const id of ['a', 'b', 'c']) await register(tested, id)
    const { changes } = record(tested)
    failing.watchEnds?.()
    // Between the two watches: what only a reading can show.
    const { entries } = await store.read('instances/')
    const [, , c] = entries
    await store.commit({ put: [{ key: c?.key ?? '', value: (c?.value ?? '').replace('8080', '9090') }] })
    await store.commit({ delete: [entries[0]?.key ?? ''] })
    await settle()
    await tested.time.pass(100)
    expect(tested.registry.view(order).instances.map(({ id }) => id)).toEqual(['b', 'c'])
    expect(changes.slice(1)).toMatchObject([
      {
        kind: 'delta',
        put: [{ id: 'c', ports: [{ number: 9090 }] }],
        gone: [{ id: 'a', reason: 'removed' }],
      },
    ])
    await register(tested, 'd')
    expect(tested.registry.view(order).instances).toHaveLength(3)
    expect(await tested.metric('portolan_registry_errors_total')).toBe(1)
  })

  it('fails a registration with the store, and the next one succeeds', async () => {
    const { unreliable, failing } = unreliableStore()
    const tested = await openTested({ store: unreliable })
    failing.commits = 1
    await expect(register(tested, 'a')).rejects.toMatchObject({ code: 'store_failed', retryable: true })
    await register(tested, 'a')
    expect(tested.registry.find(nameOf('a'))).toBeDefined()
  })

  it('loses no cause that nobody would set again', async () => {
    const { unreliable, failing } = unreliableStore()
    const tested = await openTested({ store: unreliable })
    tested.registry.sessionOpened('s')
    await register(tested, 'a', { session: 's' })
    failing.commits = 5
    tested.registry.sessionSilent('s')
    await tested.time.pass(1000)
    expect(tested.registry.find(nameOf('a'))?.causes).toMatchObject([{ kind: 'disconnected' }])
    failing.commits = 5
    tested.registry.sessionAnswered('s')
    await tested.time.pass(1000)
    expect(tested.registry.find(nameOf('a'))?.causes).toEqual([])
  })

  it('tries a lease’s end again', async () => {
    const { unreliable, failing } = unreliableStore()
    const tested = await openTested({ store: unreliable })
    await register(tested, 'a')
    failing.commits = 3
    await tested.time.pass(16_500)
    expect(tested.registry.find(nameOf('a'))).toBeUndefined()
  })

  it('tells those who wait that it closes', async () => {
    const tested = await openTested()
    await register(tested, 'a')
    const waiting = tested.registry.override(nameOf('a'), owner, { weight: 2 })
    await Promise.all([tested.registry.close(), waiting.catch(() => {})])
    await expect(register(tested, 'b')).rejects.toMatchObject({ code: 'store_closed' })
  })
})

describe('a store of a newer version', () => {
  it('is not guessed at', async () => {
    const store = openMemoryStore()
    await store.commit({ put: [{ key: 'instances/default/order/a', value: '{"v":2,"record":{}}' }] })
    await expect(openTested({ store })).rejects.toMatchObject({
      code: 'store_failed',
      hint: /newer Portolan/,
    })
  })
})

describe('causes whose instance left', () => {
  it('are swept at the next start', async () => {
    const store = openMemoryStore()
    const value = '{"v":1,"record":{"incarnation":1,"causes":[]}}'
    await store.commit({ put: [{ key: 'causes/default/order/a', value }] })
    const tested = await openTested({ store })
    expect(await store.read('causes/')).toMatchObject({ entries: [] })
    expect(tested.registry.services()).toEqual([])
  })
})

describe('overrides that nobody comes back for', () => {
  it('are a thousand at most', async () => {
    const tested = await openTested()
    for (let index = 0; index < 1010; index++) {
      await register(tested, `i${index}`)
      await tested.registry.override(nameOf(`i${index}`), owner, { weight: 2 })
      await tested.time.pass(1)
      await tested.registry.deregister(nameOf(`i${index}`), owner)
    }
    const { entries } = await tested.store.read('overrides/')
    expect(entries).toHaveLength(1000)
    expect(entries.map(({ key }) => key)).toContain('overrides/default/order/i1009')
  })
})
