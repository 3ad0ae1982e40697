import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { openLmdbStore } from './lmdb.ts'
import { storeContract } from './testing/store-contract.ts'

const root = mkdtempSync(join(tmpdir(), 'portolan-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let opened = 0
storeContract('lmdb', ({ historyChanges } = {}) =>
  openLmdbStore({
    directory: join(root, String(opened++)),
    ...(historyChanges === undefined ? {} : { history: { changes: historyChanges } }),
  }),
)
