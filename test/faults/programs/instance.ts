// An instance that registers by SDK and does as it is told: `instance URL SERVICE ID ADDRESS [CHECKS]`.
// Without URL (`-`) it only serves, on PORT where that is given. Its answers name it: `{"instance":"…"}`.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from '@portolan/client'
import { monotonicMs } from '../monotonic.ts'
import { obey } from './control.ts'

const [url = '-', service = 'echo', id = `i-${process.pid}`, address = '127.0.0.1', checks] =
  process.argv.slice(2)

let serviceMs = 0
let slowed = 1
let errorsLeft = 0
let hanging = false
let served = 0
const held = new Set<ServerResponse>()

const answer = (response: ServerResponse): void => {
  if (hanging) {
    held.add(response)
    response.once('close', () => held.delete(response))
    return
  }
  served += 1
  const failing = errorsLeft > 0
  if (failing) errorsLeft -= 1
  response.writeHead(failing ? 503 : 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ instance: id }))
}

const server = createServer((request, response) => {
  const waitMs = serviceMs * slowed
  request.resume().on('end', () => (waitMs > 0 ? setTimeout(answer, waitMs, response) : answer(response)))
})
server.keepAliveTimeout = 75_000
server.listen(Number(process.env.PORT ?? 0), address)
await once(server, 'listening')
const { port } = server.address() as AddressInfo

obey({
  /** Blocks the event loop, as a garbage collection or a heavy computation does. Returns when it began. */
  pause: (ms: number) => {
    const at = monotonicMs()
    setImmediate(() => {
      while (monotonicMs() < at + ms);
    })
    return at
  },
  /** Answers 503 so many times. */
  fail: (times: number) => {
    errorsLeft = times
    return monotonicMs()
  },
  /** Takes so long for an answer … */
  serve: (ms: number) => {
    serviceMs = ms
  },
  /** … times this. */
  slow: (factor: number) => {
    slowed = factor
    return monotonicMs()
  },
  /** Accepts and reads, and answers nothing until told otherwise. Its session lives on. */
  hang: (on: boolean) => {
    hanging = on
    if (!on) for (const response of [...held]) answer(response)
    return monotonicMs()
  },
  served: () => served,
})

if (url !== '-') {
  const portolan = await connect(url, { lazy: true })
  await portolan.register({
    service,
    id,
    port,
    address,
    ...(checks === undefined ? {} : { checks: JSON.parse(checks) }),
  })
}
process.stdout.write(`ready ${id} ${address} ${port}\n`)
