// Many instances in one process, each with an address, a server and a session of its own:
// `fleet URL SERVICE SERVICES NETWORK FIRST COUNT [CHECKS]`. Instance n of service-(n mod SERVICES), or of SERVICE
// itself where there is but one, has the address A.B.(C + n / 200).(n mod 200 + 1) in the NETWORK A.B.C. Answers
// name it. CHECKS is JSON, as it registers them.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from '@portolan/client'
import { monotonicMs } from '../../faults/monotonic.ts'
import { obey } from '../../faults/programs/control.ts'

const [url = '', service = 'echo', services = '1', network = '127.1.0', first = '0', count = '1', checks] =
  process.argv.slice(2)

const looks = new Map<string, Looks>()

interface Looks {
  count: number
  lastAt: number
  longestGapMs: number
}

function looked(id: string): void {
  const at = monotonicMs()
  const its = looks.get(id) ?? { count: 0, lastAt: at, longestGapMs: 0 }
  its.count += 1
  its.longestGapMs = Math.max(its.longestGapMs, at - its.lastAt)
  its.lastAt = at
  looks.set(id, its)
}

obey({
  /** Health checks since the last time that this was asked; a gap that has not ended counts for what it is so far. */
  looks: () => {
    const now = monotonicMs()
    const all = [...looks.values()]
    const found = {
      instances: all.length,
      count: all.reduce((sum, { count }) => sum + count, 0),
      longestGapMs: Math.max(
        0,
        ...all.map(({ lastAt, longestGapMs }) => Math.max(longestGapMs, now - lastAt)),
      ),
    }
    for (const its of all) Object.assign(its, { count: 0, longestGapMs: 0 })
    return found
  },
})

async function open(number: number): Promise<void> {
  const id = `i-${number}`
  const [a, b, c] = network.split('.')
  const address = `${a}.${b}.${Number(c) + Math.floor(number / 200)}.${(number % 200) + 1}`
  const server = createServer((request, response) => {
    if (request.headers['user-agent']?.startsWith('portolan-health') === true) looked(id)
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"instance":"${id}"}`)
  })
  server.keepAliveTimeout = 75_000
  server.listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const portolan = await connect(url)
  const its = services === '1' ? service : `${service}-${number % Number(services)}`
  const more = checks === undefined ? {} : { checks: JSON.parse(checks) }
  await portolan.register({ service: its, id, port, address, ...more })
}

const numbers = Array.from({ length: Number(count) }, (_, index) => Number(first) + index)
for (let from = 0; from < numbers.length; from += 50) {
  await Promise.all(numbers.slice(from, from + 50).map(open))
}
process.stdout.write('ready\n')
