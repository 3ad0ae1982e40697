import { openOurs } from '../peers/dns/ours.ts'
import { residentMib } from '../peers/dns/target.ts'
import { type Bench, quantile, round } from '../row.ts'
import { type Answer, addressOf, answered, askByTcp, openAsker, type Question } from './question.ts'

const instances = Number(process.env.BENCH_INSTANCES ?? 3000)
const questions = Number(process.env.BENCH_QUESTIONS ?? 1000)
const service = 'wide'
const sizes = [undefined, 1232, 4096] as const

type Ask = () => Promise<Answer>

const figures = (values: readonly number[], digits = 2) => ({
  p50: round(quantile(values, 0.5), digits),
  p99: round(quantile(values, 0.99), digits),
  max: round(Math.max(...values), digits),
})

/** Asks the same over and over: how large the answers are, how long they take, and whom they name. */
async function asked(ask: Ask, times: number, instances: number) {
  const took: number[] = []
  const all: Answer[] = []
  for (let i = 0; i < times; i++) {
    const from = performance.now()
    all.push(await ask())
    took.push(performance.now() - from)
  }
  const wrong = all.find(({ rcode }) => rcode !== 0)
  if (wrong !== undefined) throw new Error(`answered with ${JSON.stringify(wrong)}`)
  const named = new Map<string, number>()
  for (const record of all.flatMap(({ answers }) => answers)) named.set(record, (named.get(record) ?? 0) + 1)
  const firsts = new Set(all.map(({ answers }) => answers[0]))
  const expected = all.reduce((sum, { answers }) => sum + answers.length, 0) / instances
  return {
    questions: times,
    bytes: figures(
      all.map(({ bytes }) => bytes),
      0,
    ),
    records: figures(
      all.map(({ answers }) => answers.length),
      0,
    ),
    additional: figures(
      all.map(({ additional }) => additional),
      0,
    ),
    truncated: all.filter(({ truncated }) => truncated).length,
    ms: figures(took),
    /** Of the instances. */
    named: named.size,
    firstPlaces: firsts.size,
    timesEach: {
      least: named.size < instances ? 0 : Math.min(...named.values()),
      most: Math.max(...named.values()),
      expected: round(expected, 1),
    },
  }
}

/** Services whose SRV answers have room for addresses: over UDP, and over TCP alone. */
const smaller = { ten: 10, hundreds: 500 } as const

/**
 * 3,000 instances of one service: what each way of asking gets. UDP answers are subsets drawn anew; the value is how many
 * instances were named at least once in 1,000 of them of 1,232 bytes, as a share of all.
 */
export const dnsWideRow: Bench = async say => {
  const everybody = Array.from({ length: instances }, (_, i) => ({
    service,
    id: `i-${i}`,
    address: addressOf('10.2', i),
  }))
  for (const [service, count] of Object.entries(smaller))
    for (let i = 0; i < count; i++) everybody.push({ service, id: `i-${i}`, address: addressOf('10.3', i) })
  say(`registering ${instances} instances`)
  await using ours = await openOurs(everybody)
  const { port, pids } = ours.target
  using asker = openAsker(port)
  const name = `${service}.portolan`
  // All of them are known once the longest answer no longer grows.
  await answered(port, { name, type: 'A' })
  await whole(port, { name, type: 'A' })
  const overUdp: Record<string, unknown> = {}
  const overTcp: Record<string, unknown> = {}
  let share = Number.NaN
  for (const type of ['A', 'SRV'] as const) {
    const question = { name: type === 'A' ? name : `_${service}._tcp.portolan`, type }
    for (const size of sizes) {
      say(`${questions} times ${type} over UDP, ${size ?? 512} bytes`)
      const sized: Question = size === undefined ? question : { ...question, size }
      const got = await asked(() => asker.ask(sized), questions, instances)
      overUdp[`${type} ${size === undefined ? '512, no EDNS' : size}`] = got
      if (type === 'A' && size === 1232) share = got.named / instances
    }
    const times = Math.min(questions, 100)
    say(`${times} times ${type} over TCP`)
    overTcp[type] = await asked(() => askByTcp(port, question), times, instances)
  }
  const withAddresses: Record<string, unknown> = {}
  for (const [service, count] of Object.entries(smaller)) {
    say(`SRV of ${count} instances`)
    const question: Question = { name: `_${service}._tcp.portolan`, type: 'SRV', size: 1232 }
    withAddresses[`${count} over UDP`] = await asked(() => asker.ask(question), 100, count)
    withAddresses[`${count} over TCP`] = await asked(() => askByTcp(port, question), 100, count)
  }
  return {
    row: 'dns.wide',
    value: round(share),
    unit: 'ratio',
    better: 'higher',
    detail: {
      atLeast: 0.99,
      aim: 1,
      instances,
      overUdp,
      overTcp,
      withAddresses,
      residentMib: round(residentMib(pids), 0),
    },
  }
}

/** Waits until an answer over TCP has been the same for a second. */
async function whole(port: number, question: Question): Promise<void> {
  let same = 0
  let last = -1
  while (same < 4) {
    const { answers } = await askByTcp(port, question)
    same = answers.length === last ? same + 1 : 0
    last = answers.length
    await new Promise(resolve => setTimeout(resolve, 250))
  }
}
