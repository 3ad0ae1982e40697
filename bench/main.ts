import { runPinned } from './programs.ts'
import { rows } from './rows.ts'

// npm run bench                    every row, as a table
// npm run bench -- ROW… --json     these rows, one JSON object a line
// Exits with 1 when a row could not be measured, with 2 for a row that does not exist.

const words = process.argv.slice(2)
const json = words.includes('--json')
const wanted = words.filter(word => !word.startsWith('--'))
const unknown = wanted.filter(name => !(name in rows))
if (unknown.length > 0) {
  console.error(`no such row: ${unknown.join(', ')}; there are: ${Object.keys(rows).join(' ')}`)
  process.exit(2)
}

// Load and measuring live on the second processor; what is measured has the first one for itself.
runPinned(1, 'taskset', ['-acp', '1', String(process.pid)])

let unmeasured = 0
for (const [name, bench] of Object.entries(rows)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  try {
    const row = await bench(progress => console.error(`  ${name}: ${progress}`))
    if (json) console.log(JSON.stringify(row))
    else {
      const beside = row.peer === undefined ? '' : `beside ${row.peer}`
      console.log(`${row.row.padEnd(22)} ${String(row.value).padStart(10)} ${row.unit.padEnd(6)} ${beside}`)
      console.log(`  ${JSON.stringify(row.detail)}`)
    }
  } catch (error) {
    unmeasured += 1
    console.error(`${name}: could not be measured: ${error instanceof Error ? error.message : String(error)}`)
  }
}
process.exit(unmeasured === 0 ? 0 : 1)
