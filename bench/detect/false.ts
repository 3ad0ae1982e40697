import { readFileSync } from 'node:fs'
import { connect, type Portolan } from '@portolan/client'
import { monotonicMs, sleep } from '../../test/faults/monotonic.ts'
import type { Namespace } from '../../test/faults/namespace.ts'
import { script } from '../../test/faults/program.ts'
import { openWorld, type World } from '../../test/faults/world.ts'
import { type Bench, round } from '../row.ts'

const probes = Number(process.env.BENCH_PROBES ?? 1_000_000)
const services = 50
const membersPerService = 100
const lossPercent = 1
const port = 8080
/** Every address of it is the one process that accepts. */
const crowd = '198.19.0.0/17'
const processorOfChecker = '0'

/** 198.19.0.1 and on. */
function addressOf(number: number): string {
  return `198.19.${Math.floor((number + 1) / 250)}.${((number + 1) % 250) + 1}`
}

const configuration = Array.from({ length: services }, (_, service) => {
  const members = Array.from(
    { length: membersPerService },
    (_, i) => `"${addressOf(service * membersPerService + i)}:${port}"`,
  )
  return `  crowd-${service}: { instances: [${members}] }\n`
}).join('')

/** Everything that is said against a member, as consumers see it. All of them are well, so all of it is false. */
async function watchForCauses(portolan: Portolan) {
  const told: string[] = []
  let known = 0
  const follow = async (service: string): Promise<void> => {
    let before = new Set<string>()
    for await (const set of portolan.watch(service)) {
      if (before.size === 0 && set.instances.length > 0) known += 1
      const now = new Set<string>()
      for (const { id, causes } of set.instances) {
        now.add(id)
        for (const { kind, reason } of causes) {
          const what = `${id} ${kind}`
          now.add(what)
          if (!before.has(what)) told.push(`${what}: ${reason}`)
        }
      }
      for (const what of before) if (!what.includes(' ') && !now.has(what)) told.push(`${what} removed`)
      before = now
    }
  }
  const following = Array.from({ length: services }, (_, i) => follow(`crowd-${i}`))
  while (known < services) await sleep(20)
  return {
    told,
    close: async () => {
      await portolan.close()
      await Promise.all(following)
    },
  }
}

interface Pass {
  readonly seconds: number
  readonly connectionsAsked: number
  /** By what they found, as the checker counts: regular probes and re-checks. */
  readonly probes: Readonly<Record<string, number>>
  readonly packetsLost: number
  readonly falseCauses: number
  /** Some of them. */
  readonly such: readonly string[]
  readonly busyShareOfCore: number
  readonly checkerCpuShare: number
}

/** Probes until so many have been sent, as the network of the probed counts them. */
async function pass(
  world: World,
  network: Namespace,
  told: string[],
  say: (text: string) => void,
): Promise<Pass> {
  network.lose(lossPercent)
  told.length = 0
  const from = monotonicMs()
  const [cpu, checker] = [cpuTimes(), cpuSeconds(world)]
  const before = await probesByResult(world)
  let counted = network.counted()
  while (counted.asked < probes) {
    await sleep(2000)
    counted = network.counted()
    say(`${counted.asked} of ${probes}, ${told.length} false`)
    const rate = counted.asked / (monotonicMs() - from)
    if (monotonicMs() - from > 60_000 && rate < 0.2)
      throw new Error(`only ${round(rate * 1000)} probes a second: the checks do not run`)
  }
  network.lose(0)
  const seconds = (monotonicMs() - from) / 1000
  const such = [...told]
  const probed = await probesByResult(world)
  const after = cpuTimes()
  return {
    seconds: round(seconds, 1),
    connectionsAsked: counted.asked,
    probes: Object.fromEntries(
      Object.entries(probed).map(([result, count]) => [result, count - (before[result] ?? 0)]),
    ),
    packetsLost: counted.in + counted.out,
    falseCauses: such.length,
    such: such.slice(0, 5),
    busyShareOfCore: round((after.busy - cpu.busy) / (after.all - cpu.all), 2),
    checkerCpuShare: round((cpuSeconds(world) - checker) / seconds, 2),
  }
}

async function probesByResult({ url }: World): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.matchAll(/^portolan_health_probes_total\{[^}]*result="(\w+)"[^}]*\} (\d+)/gm)
  const found: Record<string, number> = {}
  for (const [, result = '', count] of lines) found[result] = (found[result] ?? 0) + Number(count)
  return found
}

/** Of the checker's processor, in clock ticks since boot. */
function cpuTimes(): { readonly busy: number; readonly all: number } {
  const line =
    new RegExp(`^cpu${processorOfChecker} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? ''
  const ticks = line.split(' ').map(Number)
  const all = ticks.reduce((sum, each) => sum + each, 0)
  const [, , , idle = 0, waiting = 0] = ticks
  return { all, busy: all - idle - waiting }
}

/** What the checking process has used so far. */
function cpuSeconds({ registry }: World): number {
  const stat = readFileSync(`/proc/${registry.pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/**
 * What must be expected of 1 % loss each way: a probe fails when its SYN or the answer to it is lost, since the kernel
 * sends again only after a second; a false cause needs the probe and all four re-checks to fail.
 */
function expected() {
  const failing = 1 - (1 - lossPercent / 100) ** 2
  return {
    failingProbes: Math.round(probes * failing),
    falseCauses: Number((probes * failing ** 5).toPrecision(2)),
  }
}

/**
 * False causes and removals in a million probes of living members at 1 % packet loss each way, and again with the
 * checker's processor at 95 %: the sum of both. The defaults: a TCP check a second, time-out 500 ms.
 */
export const detectFalseRow: Bench = async say => {
  const world = await openWorld(configuration)
  const { faults } = world
  try {
    const network = faults.namespace(crowd)
    const all = { cpus: '1', namespace: network, env: { PORT: String(port) } }
    const members = faults.start(script('crowd'), [], all)
    await members.line(line => (line.startsWith('ready') ? true : undefined))
    const watched = await watchForCauses(await connect(world.url))
    faults.later(() => watched.close())
    for (let i = 0; i < services; i++) await world.healthy(`crowd-${i}`, membersPerService)
    const atLoss = await pass(world, network, watched.told, text => say(`1 % loss: ${text}`))
    const spinner = faults.start(script('spinner'), ['0.95'], { cpus: processorOfChecker })
    await spinner.line(line => (line === 'ready' ? true : undefined))
    const loaded = await pass(world, network, watched.told, text => say(`1 % loss, 95 % load: ${text}`))
    return {
      row: 'detect.false',
      value: atLoss.falseCauses + loaded.falseCauses,
      unit: 'count',
      better: 'lower',
      detail: {
        atMost: 1,
        aim: 0,
        members: services * membersPerService,
        check: 'tcp, 1 s, time-out 500 ms (the default)',
        lossPercentEachWay: lossPercent,
        expected: expected(),
        atLoss,
        atLossAndLoad: loaded,
      },
    }
  } finally {
    await world.close()
  }
}
