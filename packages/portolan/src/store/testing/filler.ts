import { writeSync } from 'node:fs'
import { Fault } from '@portolan/core'
import { openLmdbStore } from '../lmdb.ts'

/**
 * `filler.ts DIRECTORY`: writes until the disk is full (or a limit makes it look so), goes on for a while, then prints
 * how many commits were acknowledged, the codes of those that were not, and what a reading shows.
 */
const [directory = ''] = process.argv.slice(2)
const store = await openLmdbStore({ directory, checkpointDelayMs: 0 })
const codes = new Set<string>()
let acknowledged = 0
let refused = 0
for (let number = 0; refused < 20; number++) {
  const key = `k${String(number).padStart(6, '0')}`
  try {
    await store.commit({ if: [{ key, revision: 0 }], put: [{ key, value: 'v'.repeat(20_000) }] })
    acknowledged++
  } catch (error) {
    refused++
    codes.add(error instanceof Fault ? `${error.code} ${error.retryable}` : String(error))
  }
}
const { entries } = await store.read('')
writeSync(1, `${JSON.stringify({ acknowledged, codes: [...codes], entries: entries.length })}\n`)
process.kill(process.pid, 'SIGKILL')
