import { once } from 'node:events'
import { connect } from 'node:net'
import { type Consumers, isPicked, lastPicks, openConsumers } from '../../test/faults/consumers.ts'
import { monotonicMs, sleep } from '../../test/faults/monotonic.ts'
import type { Namespace } from '../../test/faults/namespace.ts'
import { kill } from '../../test/faults/signals.ts'
import { type Member, openWorld, startMember, type World } from '../../test/faults/world.ts'
import { type Bench, type Row, round } from '../row.ts'
import { figuresOf, p99, type Repetition, summary } from './last-pick.ts'

const repetitions = Number(process.env.BENCH_REPETITIONS ?? 100)
/** Without a session, for the detail. */
const fewer = Math.min(repetitions, 10)
const members = 4
/** What is not noticed by then counts as not noticed. */
const withinMs = 10_000

/** How one kind of fault strikes and is made good. */
interface Fault {
  /** What has to be there before. */
  prepare?(member: Member): Promise<void>
  strike(member: Member): number
  /** Makes it good, for the member or for the one that takes its place. */
  mend(member: Member, at: number): Promise<Member>
  /** What else it saw, for the detail. */
  readonly seen?: () => Readonly<Record<string, unknown>>
}

type Say = (progress: string) => void

/** Strikes one member after the other, each time at another moment of the pings' and checks' rhythm. */
async function strikeAll(
  world: World,
  crowd: Member[],
  consumers: Consumers,
  fault: Fault,
  times: number,
  say: Say,
): Promise<Repetition[]> {
  const found: Repetition[] = []
  for (let i = 0; i < times; i++) {
    await world.healthy('echo', members)
    await sleep(300 + Math.random() * 1000)
    const turn = i % crowd.length
    const victim = crowd[turn]
    if (victim === undefined) throw new Error('nobody to strike')
    await fault.prepare?.(victim)
    await isPicked(consumers, victim)
    const at = fault.strike(victim)
    const repetition = await lastPicks(consumers, victim, at, withinMs)
    found.push(repetition)
    const times = repetition === undefined ? 'never' : Object.values(repetition).map(ms => round(ms, 1))
    say(`${i + 1}: last pick after ${times} ms`)
    crowd[turn] = await fault.mend(victim, at)
    if (found.length >= 3 && found.every(each => each === undefined)) break
  }
  return found
}

let named = 0

/**
 * kill -9; another process takes the place. Before the kernel closes a dead process's sockets, which is the first that
 * anybody else can see of its death, it frees its memory: that time is seen by a connection of our own.
 */
function killing(world: World, hasSession: boolean): Fault {
  const closedAfter: number[] = []
  let struck = 0
  return {
    async prepare({ address, port }) {
      const witness = connect(port, address)
      await once(witness, 'connect')
      witness.on('error', () => {}).once('close', () => closedAfter.push(monotonicMs() - struck))
    },
    strike({ program }) {
      struck = kill(program.pid)
      return struck
    },
    async mend(member) {
      await member.program.end()
      return hasSession
        ? startMember(world.faults, `echo-${++named}`, { url: world.url })
        : startMember(world.faults, member.id, { port: member.port })
    },
    seen: () => ({ untilItsSocketsClosed: figuresOf(closedAfter) }),
  }
}

/** SIGSTOP: the kernel goes on answering for the process. */
function hanging(world: World): Fault {
  const stopped = new Map<Member, () => number>()
  return {
    strike(member) {
      const { at, resume } = world.faults.stop(member.program.pid)
      stopped.set(member, resume)
      return at
    },
    async mend(member) {
      stopped.get(member)?.()
      return member
    },
  }
}

/** Every packet to and from the instance's machine is lost. */
function dropping(namespaces: ReadonlyMap<Member, Namespace>): Fault {
  const of = (member: Member): Namespace => {
    const namespace = namespaces.get(member)
    if (namespace === undefined) throw new Error(`${member.id} has no namespace`)
    return namespace
  }
  return {
    strike: member => of(member).lose(100),
    async mend(member) {
      of(member).lose(0)
      return member
    },
  }
}

interface Place {
  readonly world: World
  readonly crowd: Member[]
  readonly namespaces: ReadonlyMap<Member, Namespace>
}

/** Instances that register by SDK, each with a session of its own. */
async function withSessions(separate: boolean): Promise<Place> {
  const world = await openWorld('', separate)
  const namespaces = new Map<Member, Namespace>()
  const crowd = await Promise.all(
    Array.from({ length: members }, async () => {
      const id = `echo-${++named}`
      if (!separate) return startMember(world.faults, id, { url: world.url })
      const namespace = world.faults.namespace()
      const url = world.url.replace('127.0.0.1', namespace.outside)
      const member = await startMember(world.faults, id, { url, address: namespace.inside, namespace })
      namespaces.set(member, namespace)
      return member
    }),
  )
  return { world, crowd, namespaces }
}

/** Static members, which say nothing of themselves: only checks look at them. */
async function withoutSessions(separate: boolean, checks = ''): Promise<Place> {
  const first = await openWorld('', false)
  const { faults } = first
  await first.registry.end('SIGTERM')
  const namespaces = new Map<Member, Namespace>()
  const crowd = await Promise.all(
    Array.from({ length: members }, async (_, i) => {
      if (!separate) return startMember(faults, `static-${i}`, {})
      const namespace = faults.namespace()
      const member = await startMember(faults, `static-${i}`, { address: namespace.inside, namespace })
      namespaces.set(member, namespace)
      return member
    }),
  )
  const addresses = crowd.map(({ address, port }) => `${address}:${port}`)
  const world = await openWorld(`  echo:\n    instances: [${addresses}]\n${checks}`, false, faults)
  return { world, crowd, namespaces }
}

type Strike = (place: Place, hasSession: boolean) => Fault

interface Kind {
  readonly row: string
  readonly atMost: number
  readonly aim: number
  readonly separate: boolean
  readonly strike: Strike
  /** Checks of static members beside the default one, for the detail. */
  readonly otherChecks?: Readonly<Record<string, string>>
}

async function measure(place: Place, fault: Fault, times: number, say: Say) {
  const { world, crowd } = place
  try {
    await world.healthy('echo', members)
    const consumers = await openConsumers(world)
    const found = await strikeAll(world, crowd, consumers, fault, times, say)
    return { found, consumers: consumers.count, requests: await consumers.counts() }
  } catch (thrown) {
    const said = world.registry.output.slice(-2000)
    throw new Error(`${thrown instanceof Error ? thrown.message : thrown}\n${said}`, { cause: thrown })
  } finally {
    await world.close()
  }
}

async function row(kind: Kind, say: Say): Promise<Row> {
  const place = await withSessions(kind.separate)
  const fault = kind.strike(place, true)
  const main = await measure(place, fault, repetitions, text => say(`sessions ${text}`))
  const alone: Record<string, unknown> = {}
  for (const [name, checks] of Object.entries({ tcp: '', ...kind.otherChecks })) {
    const place = await withoutSessions(kind.separate, checks)
    const said = (text: string): void => say(`static, ${name} ${text}`)
    const { found } = await measure(place, kind.strike(place, false), fewer, said)
    alone[name] = summary(found)
  }
  return {
    row: kind.row,
    value: p99(main.found),
    unit: 'ms',
    better: 'lower',
    detail: {
      atMost: kind.atMost,
      aim: kind.aim,
      consumers: main.consumers,
      ...summary(main.found),
      ...fault.seen?.(),
      requests: main.requests,
      withoutSessionByCheck: alone,
    },
  }
}

const http = '    healthChecks: [{ type: HTTP, path: / }]\n'

/** Milliseconds from `kill -9` of an instance until the last pick of it by any of 20 consumers. */
export const detectKillRow: Bench = say =>
  row(
    {
      row: 'detect.kill',
      atMost: 100,
      aim: 10,
      separate: false,
      strike: ({ world }, hasSession) => killing(world, hasSession),
    },
    say,
  )

/** The same from SIGSTOP. A TCP check cannot see that: the kernel accepts for a process that stands still. */
export const detectHangRow: Bench = say =>
  row(
    {
      row: 'detect.hang',
      atMost: 1000,
      aim: 400,
      separate: false,
      strike: ({ world }) => hanging(world),
      otherChecks: { http },
    },
    say,
  )

/** The same from the moment that all packets to and from an instance's machine are dropped. */
export const detectDropRow: Bench = say =>
  row(
    {
      row: 'detect.drop',
      atMost: 1500,
      aim: 800,
      separate: true,
      strike: ({ namespaces }) => dropping(namespaces),
    },
    say,
  )
