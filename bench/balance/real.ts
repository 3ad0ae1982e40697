import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policyNames as allPolicies, type PolicyName } from '@portolan/core'
import { steady } from '../../packages/portolan/src/simulate/arrivals.ts'
import { contestant } from '../../packages/portolan/src/simulate/contestants.ts'
import { exponential } from '../../packages/portolan/src/simulate/distributions.ts'
import { type Scenario, simulate } from '../../packages/portolan/src/simulate/simulation.ts'
import { pause } from '../health/app.ts'
import { end, firstLine, fromSource, root, start } from '../programs.ts'
import { type Bench, round } from '../row.ts'
import type { InstancesPlan } from './instances.ts'
import type { LoadOutcome, LoadPlan } from './load.ts'

const policyNames = allPolicies.filter(name => (process.env.BENCH_POLICIES ?? name).split(',').includes(name))
const seconds = Number(process.env.BENCH_SECONDS ?? 15)
const warmUpSeconds = 5
const workers = 4
const apiPort = 19187
const gatewayPort = 19188
const adminPort = 19189
/** Who is farther apart than this in both worlds must be in the same order in both. */
const apart = 1.25

interface Trial {
  readonly name: string
  readonly meansMs: readonly number[]
  readonly turnAway: readonly number[]
  readonly load: number
}

/** Times are twice those of the simulator's own scenarios: timers know whole milliseconds only. */
const trials: readonly Trial[] = [
  { name: 'skew', meansMs: [...Array<number>(9).fill(20), 80], turnAway: [], load: 0.7 },
  { name: 'turns-away', meansMs: Array<number>(10).fill(20), turnAway: [0], load: 0.5 },
]

const rateOf = ({ meansMs, load }: Trial): number =>
  load * meansMs.reduce((sum, mean) => sum + (workers * 1000) / mean, 0)

function scenarioOf(trial: Trial): Scenario {
  return {
    name: trial.name,
    about: 'as the processes of this bench',
    servers: trial.meansMs.map((mean, index) => ({
      id: `s-${index}`,
      workers,
      service: exponential(mean),
      ...(trial.turnAway.includes(index) ? { failsIn: () => 1, failsWith: 'pushback' as const } : {}),
    })),
    arrivals: steady(rateOf(trial)),
    warmUpMs: warmUpSeconds * 1000,
    endMs: (warmUpSeconds + seconds) * 1000,
  }
}

function configOf(ports: readonly number[], policy: PolicyName): string {
  const members = ports.map(port => `"127.0.0.1:${port}"`)
  return `
api: { listen: ["127.0.0.1:${apiPort}"] }
gateway: { listen: 127.0.0.1:${gatewayPort}, admin: 127.0.0.1:${adminPort} }
services:
  order:
    healthChecks: []
    balancer: { policy: ${policy}, slowStart: none, hashBy: "header:x-user" }
    instances: [${members.join(', ')}]
`
}

/** What counts: how long answers take, or how many are no answers where that is the trouble. */
interface Standing {
  readonly policy: PolicyName
  readonly p99: number
  readonly bad: number
}

const standingOf = (policy: PolicyName, { p99, bad }: LoadOutcome): Standing => ({
  policy,
  p99: round(p99, 1),
  bad: round(bad, 4),
})

/** One in a hundred that is no answer counts as much as answers that take twice as long. */
const cost = (trial: Trial, { p99, bad }: Standing): number =>
  trial.turnAway.length > 0 ? 0.001 + bad : p99 * (1 + 100 * bad)

/** Pairs of policies that are clearly apart in both worlds, and the other way round in one. */
function reversals(trial: Trial, one: readonly Standing[], other: readonly Standing[]): string[] {
  const found: string[] = []
  for (const [index, a] of one.entries()) {
    for (const [place, b] of one.entries()) {
      const [otherA, otherB] = [other[index], other[place]]
      if (otherA === undefined || otherB === undefined) continue
      if (cost(trial, a) > apart * cost(trial, b) && cost(trial, otherB) > apart * cost(trial, otherA)) {
        found.push(`${a.policy}/${b.policy}`)
      }
    }
  }
  return found
}

async function measure(trial: Trial, way: LoadPlan['way'], say: (text: string) => void): Promise<Standing[]> {
  const plan: InstancesPlan = { workers, meansMs: trial.meansMs, turnAway: trial.turnAway }
  const apps = start(1, process.execPath, [
    ...fromSource,
    join(root, 'bench/balance/instances.ts'),
    JSON.stringify(plan),
  ])
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const file = join(dir, 'portolan.yaml')
  const standings: Standing[] = []
  try {
    const ports = await firstLine(apps, line =>
      line.startsWith('ports ') ? (JSON.parse(line.slice(6)) as number[]) : undefined,
    )
    for (const policy of policyNames) {
      writeFileSync(file, configOf(ports, policy))
      const main = join(root, 'packages/portolan/src/cli/main.ts')
      const up = start(
        0,
        process.execPath,
        [
          ...fromSource,
          main,
          'up',
          '--roles',
          'registry,gateway',
          '--config',
          file,
          '--data',
          join(dir, policy),
        ],
        { env: { ...process.env, PORTOLAN_LOG: 'error' } },
      )
      try {
        await firstLine(up, line => (line.startsWith('ready') ? true : undefined), 60_000)
        await pause(500)
        const load: LoadPlan = {
          way,
          gatewayPort,
          registry: `http://127.0.0.1:${apiPort}`,
          policy,
          rate: rateOf(trial),
          warmUpSeconds,
          seconds,
        }
        const child = start(1, process.execPath, [
          ...fromSource,
          join(root, 'bench/balance/load.ts'),
          JSON.stringify(load),
        ])
        const outcome = await firstLine(
          child,
          line =>
            line.startsWith('{') && line.endsWith('}') ? (JSON.parse(line) as LoadOutcome) : undefined,
          (warmUpSeconds + seconds + 30) * 1000,
        )
        standings.push(standingOf(policy, outcome))
        say(`${trial.name} by ${way}, ${policy}: ${JSON.stringify(standings.at(-1))}`)
      } finally {
        await end(up)
      }
    }
  } finally {
    await end(apps)
    rmSync(dir, { recursive: true, force: true })
  }
  return standings
}

/** Real processes behind the gateway and through the library, each policy, beside the simulator: pairs in another order. */
export const balanceRealRow: Bench = async say => {
  const detail: Record<string, unknown> = { atMost: 0, seconds }
  const reversed: string[] = []
  for (const trial of trials) {
    const simulated = policyNames.map(policy => {
      const result = simulate(scenarioOf(trial), contestant(policy), 1)
      return standingOf(policy, { ...result, bad: result.errors })
    })
    detail[`${trial.name} simulated`] = simulated
    for (const way of ['gateway', 'sdk'] as const) {
      const real = await measure(trial, way, say)
      detail[`${trial.name} ${way}`] = real
      reversed.push(...reversals(trial, real, simulated).map(pair => `${trial.name} ${way}: ${pair}`))
    }
  }
  return {
    row: 'balance.real',
    value: reversed.length,
    unit: 'count',
    better: 'lower',
    peer: 'the simulator',
    detail: { ...detail, reversed },
  }
}
