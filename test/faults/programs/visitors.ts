// Visitors of gateways: `visitors HOST RATE GATEWAY…`; to each so many requests a second, whatever the answers do.
import { Agent, request } from 'node:http'
import { obey } from './control.ts'

const [host = '', rate = '200', ...gateways] = process.argv.slice(2)
const counts = { ok: 0, failed: 0 }

const visits = gateways.map(gateway => {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  return (): void => {
    const sent = request(gateway, { agent, headers: { host } }, response => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) counts.ok += 1
        else counts.failed += 1
      })
    })
    sent.on('error', () => {
      counts.failed += 1
    })
    sent.end()
  }
})

obey({ counts: () => counts })

const everyMs = 1000 / Number(rate)
const begun = performance.now()
let turns = 0
setInterval(
  () => {
    const due = Math.floor((performance.now() - begun) / everyMs)
    turns = Math.max(turns, due - 20)
    for (; turns < due; turns++) for (const visit of visits) visit()
  },
  Math.max(1, Math.floor(everyMs)),
)
process.stdout.write('ready\n')
