import { type EtcdPeer, startEtcd } from '../peers/etcd.ts'
import { find } from '../programs.ts'
import { type Bench, median, round } from '../row.ts'
import { openRegistry } from './ours.ts'
import { openAccepting, openRegistrants } from './sessions.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const inFlight = 64
const registrations = 20_000
const puts = 10_000
/** About what one registration of ours is when it is stored. */
const value = 'x'.repeat(400)

async function putMany(etcd: EtcdPeer, prefix: string): Promise<number> {
  let given = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (given < puts) await etcd.put(`${prefix}/${given++}`, value)
    }),
  )
  return (puts * 1000) / (performance.now() - start)
}

/** The same with the default check on each instance, which begins with the cause `starting` and is tested at once. */
async function withChecks(): Promise<number> {
  await using registry = await openRegistry()
  const accepting = await openAccepting()
  const registrants = await openRegistrants(registry.url, inFlight, accepting.tested)
  const perSecond: number[] = []
  for (let i = 0; i < 3; i++) perSecond.push(await registrants.register(registrations))
  registrants.close()
  accepting.close()
  return median(perSecond)
}

/**
 * Registrations/s over 64 sessions with one in flight each, acknowledged when they would survive SIGKILL, over etcd's
 * puts/s with 64 in flight (one node, default fsync); each alone on one core, in interleaved rounds. What is
 * acknowledged after the disk is in `detail`: our store's own figure is in `lmdb.bench.ts`. The instances ask for no
 * checks, so that registering is what is measured; `detail` also has it with the default ones.
 */
export const registerRow: Bench = async say => {
  const etcd = await startEtcd([find('taskset'), '-c', '0'])
  if (etcd === undefined) throw new Error('etcd is missing: npm run setup:test installs it')
  try {
    const ours: number[] = []
    const peers: number[] = []
    {
      await using registry = await openRegistry()
      const registrants = await openRegistrants(registry.url, inFlight)
      for (let i = 0; i <= rounds; i++) {
        say(`round ${i} of ${rounds}`)
        const perSecond = await putMany(etcd, `round-${i}`)
        const registered = await registrants.register(registrations)
        // The first one warms up both.
        if (i === 0) continue
        peers.push(perSecond)
        ours.push(registered)
      }
      registrants.close()
    }
    say('with the default checks')
    const checked = await withChecks()
    return {
      row: 'registry.register',
      value: round(median(ours) / median(peers)),
      unit: 'ratio',
      better: 'higher',
      peer: `etcd ${etcd.version}`,
      detail: {
        atLeast: 3,
        aim: 10,
        rounds,
        inFlight,
        checks: 'none (checks: [])',
        registrationsPerSecond: round(median(ours), 0),
        registrationsPerSecondWithDefaultChecks: round(checked, 0),
        etcdPutsPerSecond: round(median(peers), 0),
      },
    }
  } finally {
    await etcd.stop()
  }
}
