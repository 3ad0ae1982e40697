import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'undici'

/** An instance that can do so much and no more, and can be made to fail. */
export interface Instance {
  readonly port: number
  /** Requests that it has seen. */
  seen: number
  isFailing: boolean
  close(): void
}

/** `slots` requests at a time, `serviceMs` each; four times as many wait, and beyond that it answers 503, as when it fails. */
export async function openInstance(slots: number, serviceMs: number): Promise<Instance> {
  const waiting: (() => void)[] = []
  let busy = 0
  const serve = (answer: () => void): void => {
    busy++
    setTimeout(() => {
      answer()
      busy--
      const next = waiting.shift()
      if (next !== undefined) serve(next)
    }, serviceMs)
  }
  const server = createServer({ keepAliveTimeout: 60_000 }, (_, response) => {
    instance.seen++
    if (instance.isFailing || waiting.length >= 4 * slots) {
      response.writeHead(503, { 'content-length': 0 }).end()
      return
    }
    const answer = (): void => void response.writeHead(200, { 'content-length': 2 }).end('ok')
    if (busy < slots) serve(answer)
    else waiting.push(answer)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const instance: Instance = {
    port: (server.address() as AddressInfo).port,
    seen: 0,
    isFailing: false,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return instance
}

export interface StormPlan {
  readonly gatewayPort: number
  readonly instances: readonly Instance[]
  /** Requests a second, each at its time, whatever became of the others: in the storm, and when it is over. */
  readonly perSecond: number
  readonly perSecondAfter: number
  readonly stormMs: number
  /** How long it is looked at after the failing ones have healed. */
  readonly afterMs: number
}

export interface StormResult {
  /** From the second before the storm to its end: requests sent, and what the instances saw of them. */
  readonly requests: number
  readonly tries: number
  /** Of the storm alone. What was saved up before it is spent in it, so that a short one shows more. */
  readonly inStorm: { readonly requests: number; readonly tries: number }
  readonly failedInStorm: number
  /** From the healing to the end of the last half second in which one request in a hundred failed; 0 = there was none. */
  readonly recoveryMs: number
  readonly failedAfter: number
}

const windowMs = 500

/** Half of the instances fail for a while, and heal: how many tries that makes of a request, and when all is well again. */
export async function runStorm(plan: StormPlan): Promise<StormResult> {
  const { gatewayPort, instances, perSecond, perSecondAfter, stormMs, afterMs } = plan
  const agent = new Agent({ connections: 512, pipelining: 1 })
  const url = `http://127.0.0.1:${gatewayPort}/`
  const under = new Set<Promise<void>>()
  const after: { sent: number; failed: number }[] = []
  let failedInStorm = 0
  let sent = 0
  const send = (failed: () => void): void => {
    sent++
    const one = request(url, { dispatcher: agent })
      .then(async ({ statusCode, body }) => {
        await body.dump()
        if (statusCode >= 500) failed()
      }, failed)
      .finally(() => under.delete(one))
    under.add(one)
  }
  const drive = async (ms: number, rate: number, failed: (at: number) => () => void): Promise<void> => {
    const from = performance.now()
    let driven = 0
    for (let now = 0; now < ms; now = performance.now() - from) {
      for (const due = (now / 1000) * rate; driven < due; driven++) send(failed(now))
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
  const seen = (): number => instances.reduce((sum, instance) => sum + instance.seen, 0)
  try {
    await drive(1000, perSecondAfter, () => () => {})
    await Promise.all(under)
    const failing = instances.slice(0, instances.length / 2)
    for (const instance of failing) instance.isFailing = true
    const before = { seen: seen(), sent }
    await drive(stormMs, perSecond, () => () => {
      failedInStorm++
    })
    await Promise.all(under)
    const inStorm = { requests: sent - before.sent, tries: seen() - before.seen }
    const all = { requests: sent, tries: seen() }
    for (const instance of failing) instance.isFailing = false
    await drive(afterMs, perSecondAfter, now => {
      const index = Math.floor(now / windowMs)
      after[index] ??= { sent: 0, failed: 0 }
      const window = after[index]
      window.sent++
      return () => {
        window.failed++
      }
    })
    await Promise.all(under)
    const last = after.findLastIndex(window => window.failed >= Math.max(1, window.sent / 100))
    return {
      ...all,
      inStorm,
      failedInStorm,
      recoveryMs: (last + 1) * windowMs,
      failedAfter: after.reduce((sum, { failed }) => sum + failed, 0),
    }
  } finally {
    await agent.destroy()
  }
}
