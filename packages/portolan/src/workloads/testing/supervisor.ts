import { join } from 'node:path'
import type { WorkloadDefinition } from '../definition.ts'
import { fileLedger } from './file-ledger.ts'
import { openQuay, until } from './quay.ts'

// A supervisor in a process of its own: DIRECTORY DEFINITIONS(JSON) [close]. Says its states once all run, and waits
// to be killed; or closes, and must then end by itself, since nothing may be left that keeps a process alive.
const [directory = '', definitions = '[]', then] = process.argv.slice(2)
const quay = await openQuay(JSON.parse(definitions) as WorkloadDefinition[], {
  directory,
  ledger: fileLedger(join(directory, 'ledger.json')),
})
await until(() => quay.workloads.states().every(({ phase }) => phase === 'running'))
process.stdout.write(`${JSON.stringify(quay.workloads.states())}\n`)
if (then === 'close') await quay.workloads.close()
