import { writeSync } from 'node:fs'
import { openLmdbStore } from '../lmdb.ts'

/**
 * `heavy-writer.ts DIRECTORY NAME`: writes pairs of keys, 64 commits in flight, until it is killed. Prints the epoch,
 * then one line `number revision` for each commit that was acknowledged.
 */
const [directory = '', name = ''] = process.argv.slice(2)
const store = await openLmdbStore({ directory })
const { cursor } = await store.read('none')
writeSync(1, `${cursor.epoch}\n`)

let number = 0
const filler = 'x'.repeat(400)
await Promise.all(
  Array.from({ length: 64 }, async () => {
    for (;;) {
      const mine = number++
      const value = `${mine} ${filler}`
      const revision = await store.commit({
        put: [
          { key: `left/${name}/${mine}`, value },
          { key: `right/${name}/${mine}`, value },
          { key: `last/${mine % 100}`, value: `${name}/${mine}` },
        ],
        ...(mine < 1000 ? {} : { delete: [`left/${name}/${mine - 1000}`, `right/${name}/${mine - 1000}`] }),
      })
      writeSync(1, `${mine} ${revision}\n`)
    }
  }),
)
