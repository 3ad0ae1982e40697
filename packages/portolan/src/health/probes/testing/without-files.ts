import { closeSync, openSync } from 'node:fs'
import { scriptProbe } from '../script.ts'
import { look } from './scripts.ts'

// Runs a script while no descriptor is left (start it with a low limit), and again with some. Prints both findings.
const probe = scriptProbe({ env: process.env })
await look(probe, '/bin/true')
const held: number[] = []
try {
  for (;;) held.push(openSync('/dev/null', 'r'))
} catch {
  // That was the last one.
}
const without = await look(probe, '/bin/true')
for (const descriptor of held) closeSync(descriptor)
const again = await look(probe, '/bin/true')
await probe.close()
process.stdout.write(JSON.stringify([without, again]))
