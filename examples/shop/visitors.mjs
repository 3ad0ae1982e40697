import { Agent, get } from 'node:http'
import { serve } from './serve.mjs'

// The shop's load: visitors who order through the gateway at a steady rate, and a line every two seconds that shows
// who served them. Kill an order process and watch its share move to the others.
const gateway = new URL(process.env.SHOP_GATEWAY ?? 'http://127.0.0.1:7480')
const perSecond = Number(process.env.SHOP_RATE ?? 50)
const everyMs = 2000

const agent = new Agent({ keepAlive: true, maxSockets: 16 })
let served = new Map()
let failed = 0
let times = []
let number = 0

function order() {
  number += 1
  const start = performance.now()
  const options = { agent, timeout: 5000 }
  const request = get(new URL(`/orders/${number}`, gateway), options, response => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', chunk => {
      text += chunk
    })
    response.on('end', () => {
      times.push(performance.now() - start)
      const who = response.statusCode === 200 ? JSON.parse(text).instance : undefined
      if (who) served.set(who, (served.get(who) ?? 0) + 1)
      else failed += 1
    })
    response.on('error', () => {
      failed += 1
    })
  })
  request.on('timeout', () => request.destroy(new Error('no answer in 5 s')))
  request.on('error', () => {
    failed += 1
  })
}

function report() {
  const sorted = times.sort((a, b) => a - b)
  const at = share => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)
  const shares = [...served].sort().map(([who, count]) => `${who} ${count}`)
  const rate = ((sorted.length * 1000) / everyMs).toFixed(0)
  console.log(
    `${rate} orders/s, ${failed} failed, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms │ ${shares.join('  ')}`,
  )
  served = new Map()
  failed = 0
  times = []
}

/** The shop opens when its first order goes through. */
async function open() {
  for (;;) {
    const response = await fetch(new URL('/orders/0', gateway)).catch(() => undefined)
    await response?.arrayBuffer()
    if (response?.ok) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

await serve(async () => ({ ordersSoFar: number }))
await open()
setInterval(order, 1000 / perSecond)
setInterval(report, everyMs)
