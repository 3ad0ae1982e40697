import { writeSync } from 'node:fs'
import { Fault } from '@portolan/core'
import { openLmdbStore } from '../lmdb.ts'

/** `starter.ts DIRECTORY`: opens the store, says `open` or why not, and stays. */
const [directory = ''] = process.argv.slice(2)
try {
  await openLmdbStore({ directory })
  writeSync(1, 'open\n')
} catch (error) {
  writeSync(1, error instanceof Fault ? `${error.code} ${error.message}\n` : `${String(error)}\n`)
}
setInterval(() => {}, 60_000)
