import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { end, root } from '../programs.ts'
import type { Bench } from '../row.ts'
import { emptyTally, keepSilent, listen, talk } from './conversations.ts'
import { openHarbour } from './harbour.ts'

const seconds = Number(process.env.BENCH_SECONDS ?? 600)
const [talkers, silent, listeners] = [40, 20, 20]
/** Instances go, and come again, every so many seconds. */
const rescaleEvery = 20

/**
 * WebSocket messages and events lost, and conversations cut, in ten minutes through the gateway while instances go, which
 * take leave in good order, and come; beside the talkers, sockets that say nothing all the while.
 */
export const proxyTunnelsRow: Bench = async say => {
  const directory = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const command = ['node', join(root, 'bench/soak/talker.mjs')]
  const harbour = await openHarbour(directory, { command, replicas: 4 })
  const tallies = { talking: emptyTally(), silent: emptyTally(), listening: emptyTally() }
  try {
    const stops = [
      ...Array.from({ length: talkers }, () => talk(harbour.port, tallies.talking)),
      ...Array.from({ length: silent }, () => keepSilent(harbour.port, tallies.silent)),
      ...Array.from({ length: listeners }, () => listen(harbour.port, tallies.listening)),
    ]
    for (let passed = 0; passed < seconds; passed += rescaleEvery) {
      await setTimeout(Math.min(rescaleEvery, seconds - passed) * 1000)
      say(`${passed} s: ${JSON.stringify(tallies)}`)
      harbour.configure({ command, replicas: (passed / rescaleEvery) % 2 === 0 ? 2 : 4 })
    }
    for (const stop of stops) stop()
    await setTimeout(500)
    const all = Object.values(tallies)
    return {
      row: 'proxy.tunnels',
      value: all.reduce((sum, { lost, cut }) => sum + lost + cut, 0),
      unit: 'count',
      better: 'lower',
      detail: { atMost: 0, aim: 0, seconds, ...tallies },
    }
  } finally {
    await end(harbour.up, 'SIGINT')
    rmSync(directory, { recursive: true, force: true })
  }
}
