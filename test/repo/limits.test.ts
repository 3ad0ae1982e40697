import { breakerDefaults, limitDefaults } from '@portolan/core'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { referenceRows } from '../../packages/portolan/src/config/reference.ts'
import { formatSize } from '../../packages/portolan/src/config/scalars.ts'
import { type Limit, limitTable } from '../../packages/portolan/src/proxy/limits/table.ts'
import { problemCodes } from '../../packages/portolan/src/proxy/problem.ts'
import { defaultGatewaySettings } from '../../packages/portolan/src/proxy/settings.ts'
import { gatewayFor, Opened } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { readText, root } from './sources.ts'

const markers = ['<!-- limits: kept true by test/repo/limits.test.ts -->', '<!-- /limits -->'] as const

function defaultOf({ unit, value }: Limit): string {
  const amount = value(defaultGatewaySettings, limitDefaults)
  if (amount === Number.POSITIVE_INFINITY) return 'none'
  if (unit === 'bytes') return formatSize(amount).replace(/(?=[KMG]?i?B$)/, ' ')
  if (unit === 'bytes/s') return `${amount} bytes/s`
  return unit === 'seconds' ? `${amount} s` : amount.toLocaleString('en')
}

const { connections, pending, queueTimeoutMs } = breakerDefaults

/** Those that are not numbers of the gateway as a whole. */
const others: readonly (readonly [name: string, initial: string, setting: string, what: string])[] = [
  [
    'descriptors',
    'what the system allows (`ulimit -n`)',
    '',
    'with 5 % left (16 at least), clients are turned away like those beyond `connections`; with a quarter of that left, requests wait for connections to instances',
  ],
  [
    'circuit breaker: connections',
    connections.toLocaleString('en'),
    'services.NAME.circuitBreaker.connections',
    'to one instance: another one is taken, or the request waits',
  ],
  [
    'circuit breaker: pending',
    pending.toLocaleString('en'),
    'services.NAME.circuitBreaker.pending',
    '503 `too_many_pending`',
  ],
  ['circuit breaker: requests', 'none', 'services.NAME.circuitBreaker.requests', '503 `too_many_in_flight`'],
  [
    'circuit breaker: queueTimeout',
    `${queueTimeoutMs / 1000} s`,
    'services.NAME.circuitBreaker.queueTimeout',
    '503 `queue_timeout`',
  ],
]

const rows = [
  ...limitTable.map(limit => [limit.name, defaultOf(limit), limit.setting ?? '', limit.what] as const),
  ...others,
]

// The page is made new by `npx vitest run --project unit test/repo/limits.test.ts -u`.
it('docs/gateway.md has the limits that hold', async () => {
  const page = readText('docs/gateway.md')
  const [head = '', rest = ''] = page.split(markers[0])
  const tail = rest.split(markers[1])[1] ?? ''
  const table = [
    '| limit | default | set by | beyond it |',
    '| --- | --- | --- | --- |',
    ...rows.map(([name, initial, setting, what]) => {
      const key = setting === '' ? 'fixed' : `\`${setting}\``
      return `| ${name} | ${initial} | ${key} | ${what} |`
    }),
  ]
  const renewed = `${head}${markers[0]}\n\n${table.join('\n')}\n\n${markers[1]}${tail}`
  expect(tail.length).toBeGreaterThan(1000)
  await expect(renewed).toMatchFileSnapshot(`${root}/docs/gateway.md`)
})

it('limits are set by keys that there are, answer with codes that there are, and are all shown in /metrics', async () => {
  const keys = referenceRows().map(({ key }) => key)
  expect(rows.map(([, , setting]) => setting).filter(key => key !== '' && !keys.includes(key))).toEqual([])
  const settable = keys.filter(key => /^(gateway\.limits|services\.NAME\.circuitBreaker)\./.test(key))
  const told = rows.map(([, , setting]) => setting)
  // How long connections to instances are kept is a choice, nothing that anybody could exceed.
  expect(settable.filter(key => !told.includes(key) && !key.includes('.pool'))).toEqual([])
  for (const { struck, what } of limitTable) {
    const code = 'code' in struck ? struck.code : /\d{3} `([a-z_]+)`/.exec(what)?.[1]
    if (code !== undefined) expect(problemCodes).toContain(code)
  }
  const opened = new Opened()
  const { registry } = await gatewayFor(opened, [1])
  const shown = await registry.metrics()
  await opened.close()
  for (const name of [...limitTable.map(limit => limit.name), 'descriptors']) {
    expect(shown).toMatch(new RegExp(`^portolan_gateway_limit\\{limit="${name}"\\} \\S+$`, 'm'))
    expect(shown).toMatch(new RegExp(`^portolan_gateway_limit_struck_total\\{limit="${name}"\\} 0$`, 'm'))
  }
  for (const name of ['connections', 'pending', 'requests', 'queueTimeout']) {
    expect(shown).toContain(`portolan_gateway_breaker_limit{service="order",limit="${name}"}`)
    expect(shown).toContain(`portolan_gateway_breaker_struck_total{service="order",limit="${name}"} 0`)
  }
  expect(registry).toBeInstanceOf(Registry)
})
