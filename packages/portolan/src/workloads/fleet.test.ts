import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry as Metrics } from 'prom-client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { loadConfig } from '../config/load.ts'
import { scriptedHealth } from '../health/testing/scripted-health.ts'
import { openAccess } from '../registry/access/access.ts'
import { openRegistry } from '../registry/open-registry.ts'
import type { Registry } from '../registry/registry.ts'
import { openMemoryStore } from '../store/memory.ts'
import { type Fleet, openFleet } from './fleet.ts'

const log = pino({ level: 'silent' })
/** Opens its port, and says a word every 20 ms. */
const talker = (word: string) =>
  `[${JSON.stringify(process.execPath)}, -e, "require('net').createServer().listen(process.env.PORT, '127.0.0.1'); setInterval(() => console.log('${word}'), 20)"]`

let folder: string
let fleet: Fleet | undefined
let registry: Registry | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-fleet-'))
})
afterEach(async () => {
  await fleet?.close(true)
  await registry?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function configOf(one: boolean, two: boolean) {
  const file = join(folder, 'portolan.yaml')
  const service = (name: string, console: boolean) =>
    `  ${name}:\n    run: { command: ${talker(name)}, console: ${console}, stopGrace: 100ms }\n`
  writeFileSync(file, `services:\n${service('one', one)}${service('two', two)}`)
  return loadConfig(file)
}

it('shows the output of the programs that are to be shown, and after a reload of those of then', async () => {
  const store = openMemoryStore()
  const metrics = new Metrics()
  const clock = { now: () => performance.now() }
  const prober = { probe: async () => 'silent' as const }
  registry = await openRegistry({ store, clock, random: Math.random, prober, log, metrics })
  const access = await openAccess({ store, log, anonymous: 'admin' })
  const seen = { one: 0, two: 0 }
  fleet = await openFleet({
    loaded: await configOf(true, false),
    registry,
    health: scriptedHealth(),
    access,
    store,
    directory: folder,
    url: 'http://127.0.0.1:1',
    own: {},
    show: line => seen[line.startsWith('one') ? 'one' : 'two']++,
    clock,
    random: Math.random,
    log,
    metrics,
  })
  await vi.waitFor(() => expect(seen.one).toBeGreaterThan(0), { timeout: 5000 })
  expect(seen.two).toBe(0)
  await fleet.reload(await configOf(false, true))
  const { one } = seen
  await vi.waitFor(() => expect(seen.two).toBeGreaterThan(20), { timeout: 5000 })
  expect(seen.one).toBe(one)
})
