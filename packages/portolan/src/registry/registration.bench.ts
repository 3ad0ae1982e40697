import { portProtocols } from '@portolan/core'
import { Bench } from 'tinybench'
import { z } from 'zod'
import { parseRegistration } from './registration.ts'

// What parseRegistration does, in zod, without the defaults and the canonical addresses: its lower bound.
const name = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/)
const port = z.strictObject({
  name: name.optional(),
  number: z.int().min(1).max(65_535),
  protocol: z.enum(portProtocols).default('http'),
  tls: z.boolean().default(false),
})
const schema = z.strictObject({
  namespace: name.default('default'),
  service: name,
  id: name,
  addresses: z.array(z.union([z.ipv4(), z.ipv6()])).max(8),
  ports: z.array(z.union([z.int().min(1).max(65_535), port])).max(32),
  weight: z.number().min(0).max(1_000_000).default(1),
  zone: z.string().max(128).optional(),
  version: z.string().max(128).optional(),
  tags: z.array(z.string().max(256)).max(64).default([]),
  metadata: z.record(z.string().max(128), z.string().max(4096)).default({}),
})

const body = {
  service: 'order',
  id: 'order-17',
  addresses: ['10.0.0.17'],
  ports: [{ number: 8080, protocol: 'http' as const }],
  zone: 'a',
  version: '1.2.3',
  metadata: { pid: '4711' },
}

const bench = new Bench({ time: 500 })
bench.add('parseRegistration', () => {
  parseRegistration(body)
})
bench.add('zod', () => {
  schema.parse(body)
})
await bench.run()
for (const { name: task, result } of bench.tasks) {
  const latency = result.state === 'completed' ? `${(result.latency.p50 * 1e6).toFixed(0)} ns` : result.state
  process.stdout.write(`${task}: ${latency}\n`)
}
