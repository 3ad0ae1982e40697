import { fileURLToPath } from 'node:url'
import { monotonicMs, sleep } from '../../test/faults/monotonic.ts'
import { type Program, portolanMain } from '../../test/faults/program.ts'
import { kill } from '../../test/faults/signals.ts'
import { type Member, openWorld, startMember, type World } from '../../test/faults/world.ts'
import { freePort } from '../../test/ports.ts'
import { type Bench, quantile, round } from '../row.ts'
import { addressOf, answered } from './question.ts'

const repetitions = Number(process.env.BENCH_REPETITIONS ?? 50)
const members = 4
/** How long an address must be missing until its last answer counts as the last. */
const quietMs = 1000
/** What is still answered then counts as never noticed. */
const withinMs = 10_000

let named = 0

function startOne({ faults, url }: World): Promise<Member> {
  named += 1
  return startMember(faults, `echo-${named}`, { url, address: addressOf('127.1', named) })
}

export interface NamedProgram {
  readonly port: number
  readonly program: Program
}

/** `portolan dns` joined to a world's registry. */
export async function startDns({ faults, url }: World): Promise<NamedProgram> {
  const port = await freePort()
  const words = ['dns', '--join', url, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0']
  // The registry has the first processor.
  return { port, program: faults.start(portolanMain, words, { cpus: '1', preload: ['tethered'] }) }
}

/** Milliseconds from the fault until the last answer that named the address; Infinity: it is named for ever. */
async function lastAnswer(prober: Program, { address }: Member, at: number): Promise<number> {
  for (;;) {
    await sleep(50)
    const asked = monotonicMs()
    const last = await prober.ask<number>('last', address)
    if (last === 0) throw new Error(`${address} was never answered`)
    if (asked - Math.max(last, at) > quietMs) return Math.max(0, last - at)
    if (asked - at > withinMs) return Number.POSITIVE_INFINITY
  }
}

/** Milliseconds from `kill -9` of an instance until the last DNS answer that still named it, asked without a pause. */
export const dnsKillRow: Bench = async say => {
  const world = await openWorld()
  try {
    const crowd = await Promise.all(Array.from({ length: members }, () => startOne(world)))
    await world.healthy('echo', members)
    const dns = await startDns(world)
    await answered(dns.port, { name: 'echo.portolan', type: 'A' }, members)
    const program = fileURLToPath(new URL('./programs/prober.ts', import.meta.url))
    const prober = world.faults.start(program, [String(dns.port), 'echo.portolan'], { cpus: '1' })
    await prober.line(line => line === 'ready' || undefined)
    const found: number[] = []
    const from = performance.now()
    for (let i = 0; i < repetitions; i++) {
      const turn = i % crowd.length
      const victim = crowd[turn]
      if (victim === undefined) throw new Error('nobody to kill')
      await world.healthy('echo', members)
      // At another moment of the pings' rhythm each time.
      await sleep(300 + Math.random() * 1000)
      await isAnswered(prober, victim)
      found.push(await lastAnswer(prober, victim, kill(victim.program.pid)))
      say(`${i + 1}: last answer after ${round(found.at(-1) ?? 0, 1)} ms`)
      await victim.program.end()
      crowd[turn] = await startOne(world)
    }
    const seconds = (performance.now() - from) / 1000
    const { answers, others } = await prober.ask<{ answers: number; others: number }>('counts')
    const p99 = quantile(found, 0.99)
    if (!Number.isFinite(p99)) throw new Error(`not noticed at all: ${found}`)
    return {
      row: 'dns.kill',
      value: round(p99, 1),
      unit: 'ms',
      better: 'lower',
      detail: {
        repetitions,
        p50: round(quantile(found, 0.5), 1),
        p99: round(p99, 1),
        max: round(Math.max(...found), 1),
        questionsPerSecond: round((answers + others) / seconds, 0),
        notNoError: others,
      },
    }
  } catch (thrown) {
    const said = world.registry.output.slice(-2000)
    throw new Error(`${thrown instanceof Error ? thrown.message : thrown}\n${said}`, { cause: thrown })
  } finally {
    await world.close()
  }
}

async function isAnswered(prober: Program, { address }: Member): Promise<void> {
  const since = monotonicMs()
  while ((await prober.ask<number>('last', address)) <= since) {
    if (monotonicMs() - since > 10_000) throw new Error(`${address} is in no answer`)
    await sleep(10)
  }
}
