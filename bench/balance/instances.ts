// Stands in for several instances, each on a port of its own: so many workers, a queue before them, and service times that
// are exponentially distributed around a mean. They sleep instead of working, so that one processor is enough for all.
// Argument: JSON as InstancesPlan. Prints `ports` and the ports as JSON.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** By instance. */
export interface InstancesPlan {
  readonly workers: number
  readonly meansMs: readonly number[]
  /** These answer 429 at once. */
  readonly turnAway: readonly number[]
}

const plan = JSON.parse(process.argv[2] ?? '{}') as InstancesPlan

function open(meanMs: number, turnsAway: boolean): Promise<number> {
  let busy = 0
  const queue: ServerResponse[] = []
  const begin = (response: ServerResponse): void => {
    busy += 1
    setTimeout(
      () => {
        response.end('ok\n')
        busy -= 1
        const next = queue.shift()
        if (next !== undefined) begin(next)
      },
      -meanMs * Math.log(1 - Math.random()),
    )
  }
  const server = createServer((_, response) => {
    if (turnsAway) response.writeHead(429).end()
    else if (busy < plan.workers) begin(response)
    else queue.push(response)
  })
  server.keepAliveTimeout = 60_000
  return new Promise(resolve => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
      resolve((server.address() as AddressInfo).port),
    )
  })
}

const ports = await Promise.all(plan.meansMs.map((mean, index) => open(mean, plan.turnAway.includes(index))))
process.stdout.write(`ports ${JSON.stringify(ports)}\n`)
