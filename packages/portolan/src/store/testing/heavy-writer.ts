import { openLmdbStore } from '../lmdb.ts'

/**
 * `heavy-writer.ts DIRECTORY NAME CHECKPOINT_DELAY_MS`: writes pairs of keys, 64 commits in flight, until it is killed. Prints the epoch,
 * then one line `number revision` for each commit that was acknowledged.
 */
const [directory = '', name = '', delay] = process.argv.slice(2)
const store = await openLmdbStore({ directory, checkpointDelayMs: Number(delay) })
const { cursor } = await store.read('none')
await print(cursor.epoch)

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
      await print(`${mine} ${revision}`)
    }
  }),
)

function print(line: string): Promise<void> {
  return new Promise(resolve => {
    process.stdout.write(`${line}\n`, () => resolve())
  })
}
