// Open-loop load: requests come at random moments (Poisson), so many a second, whatever becomes of those before, and each is
// timed from the moment at which it was due. Argument: JSON as LoadPlan. Prints the outcome as JSON.
import { Agent, request } from 'node:http'
import { connect } from '@portolan/client'
import type { PolicyName } from '@portolan/core'

export interface LoadPlan {
  /** `gateway`: to this port of 127.0.0.1; `sdk`: to the service `order` of this registry. */
  readonly way: 'gateway' | 'sdk'
  readonly gatewayPort: number
  readonly registry: string
  readonly policy: PolicyName
  readonly rate: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface LoadOutcome {
  readonly requests: number
  readonly p50: number
  readonly p99: number
  /** The share that was not answered with 200. */
  readonly bad: number
}

type Send = (user: string) => Promise<boolean>

/** So many users, all equally likely: what policies that hash go by. */
const users = 10_000

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan

function throughGateway(): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: 4096, scheduling: 'lifo' })
  const where = { agent, host: '127.0.0.1', port: plan.gatewayPort }
  return user =>
    new Promise(resolve => {
      const headers = { host: 'order.portolan', 'x-user': user }
      const call = request({ ...where, headers }, response => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200))
      })
      call.on('error', () => resolve(false))
      call.end()
    })
}

async function throughLibrary(): Promise<Send> {
  const portolan = await connect(plan.registry)
  const order = portolan.service('order', { policy: plan.policy, slowStartMs: 0 })
  return async hashKey => {
    try {
      const response = await order.fetch('/order', { hashKey })
      await response.text()
      return response.status === 200
    } catch {
      return false
    }
  }
}

const send = plan.way === 'gateway' ? throughGateway() : await throughLibrary()
const times: number[] = []
let bad = 0

async function one(dueAt: number, counts: boolean): Promise<void> {
  const isGood = await send(`user-${Math.floor(Math.random() * users)}`)
  if (!counts) return
  times.push(performance.now() - dueAt)
  if (!isGood) bad += 1
}

const begun = performance.now()
const from = begun + plan.warmUpSeconds * 1000
const until = from + plan.seconds * 1000
/** Those under way, and when they were due. */
const open = new Map<Promise<void>, number>()
let due = begun
while (due < until) {
  due -= (Math.log(1 - Math.random()) * 1000) / plan.rate
  const wait = due - performance.now()
  if (wait > 1) await new Promise(resolve => setTimeout(resolve, wait))
  const call = one(due, due >= from && due < until)
  open.set(call, due)
  void call.then(() => open.delete(call))
}
// What is not answered yet counts with its time so far, at least.
await Promise.race([Promise.all(open.keys()), new Promise(resolve => setTimeout(resolve, 5000))])
for (const dueAt of open.values()) times.push(performance.now() - dueAt)
times.sort((a, b) => a - b)
const outcome: LoadOutcome = {
  requests: times.length,
  p50: times[Math.floor(times.length * 0.5)] ?? 0,
  p99: times[Math.floor(times.length * 0.99)] ?? 0,
  bad: bad / Math.max(1, times.length),
}
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0))
