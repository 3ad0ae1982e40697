import { openMemoryStore } from './memory.ts'
import { storeContract } from './testing/store-contract.ts'

storeContract('memory', async ({ historyChanges } = {}) =>
  openMemoryStore(historyChanges === undefined ? {} : { history: { changes: historyChanges } }),
)
