import { randomBytes } from 'node:crypto'
import { Fault, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'

const bytes = 32

/**
 * The secret of that name, `secrets/NAME` in the store: made by whoever asks first, and the same ever after, for all
 * registries of one store.
 * @throws Fault `store_failed`, also where a newer version has written it
 */
export async function keptSecret(store: Store, name: string): Promise<Uint8Array> {
  const key = `secrets/${name}`
  const kept = await read(store, key)
  if (kept !== undefined) return kept
  const made = randomBytes(bytes)
  const value = JSON.stringify({ v: 1, secret: made.toString('base64url') })
  try {
    await store.commit({ if: [{ key, revision: 0 }], put: [{ key, value }] })
    return made
  } catch (thrown) {
    if (toFault(thrown).code !== 'store_conflict') throw thrown
    // Another registry of the same store was first.
    return (await read(store, key)) ?? made
  }
}

async function read(store: Store, key: string): Promise<Uint8Array | undefined> {
  const { entries } = await store.read(key)
  const entry = entries.find(one => one.key === key)
  if (entry === undefined) return undefined
  const kept = parsed(entry.value)
  if (kept !== undefined) return kept
  throw new Fault('store_failed', `the record ${key} has a format that this version does not read`, {
    source: 'internal',
    hint: 'it was written by a newer Portolan: start that one, or another data directory',
  })
}

function parsed(value: string): Uint8Array | undefined {
  try {
    const { v, secret } = JSON.parse(value) as { readonly v?: unknown; readonly secret?: unknown }
    return v === 1 && typeof secret === 'string' ? Buffer.from(secret, 'base64url') : undefined
  } catch {
    return undefined
  }
}
