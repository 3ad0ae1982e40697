// Consumers in one process: `consumer URL SERVICE CLIENTS HOW`. Loaded with attempts.ts.
// pick:  each client picks a thousand times a second and lets go at once: nothing but the registry's word keeps it
//        away from an instance.
// fetch: each client sends 200 requests a second, whatever the answers do.
import { connect } from '@portolan/client'
import { note } from './attempts.ts'

const [url = '', service = '', clients = '1', how = 'pick'] = process.argv.slice(2)
const portolans = await Promise.all(Array.from({ length: Number(clients) }, () => connect(url)))
const services = portolans.map(portolan => portolan.service(service))
for (const each of services) await each.fetch('/').then(response => response.text())

const why: Record<string, number> = {}
const counts = { ok: 0, failed: 0, why }
process.on('message', (message: { readonly ask: number; readonly what: string }) => {
  if (message.what === 'counts') process.send?.({ answer: message.ask, value: counts })
})
process.channel?.unref()

const pickOne = (each: (typeof services)[number]): void => {
  const { instance, done } = each.pick()
  done()
  const [address = ''] = instance.addresses
  note(address, instance.ports[0]?.number ?? 0)
  counts.ok += 1
}

const fetchOne = async (each: (typeof services)[number]): Promise<void> => {
  try {
    const response = await each.fetch('/')
    await response.text()
    if (response.ok) counts.ok += 1
    else counts.failed += 1
  } catch (thrown) {
    counts.failed += 1
    const reason = String(thrown).slice(0, 200)
    why[reason] = (why[reason] ?? 0) + 1
  }
}

const everyMs = how === 'pick' ? 1 : 5
const begun = performance.now()
let turns = 0
setInterval(() => {
  // After a late timer it catches up: the rate is kept, but nothing is made up for a long sleep.
  const due = Math.floor((performance.now() - begun) / everyMs)
  turns = Math.max(turns, due - 20)
  for (; turns < due; turns++) {
    for (const each of services) {
      if (how === 'pick') pickOne(each)
      else void fetchOne(each)
    }
  }
}, everyMs)
process.stdout.write('ready\n')
