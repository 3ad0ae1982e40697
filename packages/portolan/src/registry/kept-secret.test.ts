import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { keptSecret } from './kept-secret.ts'

const text = (secret: Uint8Array): string => Buffer.from(secret).toString('hex')

describe('a kept secret', () => {
  it('is made once, is the same ever after, and another one for each name', async () => {
    const store = openMemoryStore()
    const made = await keptSecret(store, 'affinity')
    expect(made).toHaveLength(32)
    expect(text(await keptSecret(store, 'affinity'))).toBe(text(made))
    expect(text(await keptSecret(store, 'other'))).not.toBe(text(made))
    // A name that another one begins with is that other's affair.
    expect(text(await keptSecret(store, 'aff'))).not.toBe(text(made))
    await store.close()
  })

  it('is the same for two who ask at once', async () => {
    const store = openMemoryStore()
    const both = await Promise.all([keptSecret(store, 'affinity'), keptSecret(store, 'affinity')])
    expect(new Set(both.map(text)).size).toBe(1)
    await store.close()
  })

  it.each(['{"v":2,"secret":"x"}', '{"v":1}', 'x', 'null'])(
    'is not guessed at where there is %s',
    async value => {
      const store = openMemoryStore()
      await store.commit({ put: [{ key: 'secrets/affinity', value }] })
      await expect(keptSecret(store, 'affinity')).rejects.toMatchObject({ code: 'store_failed' })
      await store.close()
    },
  )

  it('says so when it could not be kept', async () => {
    const store = openMemoryStore()
    const full: Store = {
      ...store,
      read: prefix => store.read(prefix),
      commit: () => Promise.reject(new Error('full')),
    }
    await expect(keptSecret(full, 'affinity')).rejects.toThrow('full')
    await store.close()
  })
})
