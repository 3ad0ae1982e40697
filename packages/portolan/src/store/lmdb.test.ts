import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { openLmdbStore } from './lmdb.ts'
import { storeContract } from './testing/store-contract.ts'

const root = mkdtempSync(join(tmpdir(), 'portolan-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let opened = 0
for (const [name, checkpointDelayMs] of [
  ['lmdb', 250],
  ['lmdb with the tree close behind the journal', 0],
] as const) {
  storeContract(name, ({ historyChanges } = {}) =>
    openLmdbStore({
      directory: join(root, String(opened++)),
      checkpointDelayMs,
      ...(historyChanges === undefined ? {} : { history: { changes: historyChanges } }),
    }),
  )
}
