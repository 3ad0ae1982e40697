import {
  budgetRules,
  checkDefaults,
  dampingRules,
  formatDuration,
  healthRules,
  shortestIntervalMs,
} from '@portolan/core'
import { expect, it } from 'vitest'
import { defaultTimes } from '../../packages/portolan/src/api/settings.ts'
import { defaultConfig, readConfig } from '../../packages/portolan/src/config/load.ts'
import { healthLimits } from '../../packages/portolan/src/config/resolve.ts'
import { defaultSettings } from '../../packages/portolan/src/registry/settings.ts'
import { readText, root } from './sources.ts'

const markers = ['<!-- defaults: kept true by test/repo/health.test.ts -->', '<!-- /defaults -->'] as const
const configured = healthLimits(defaultConfig('/').config)

const percent = (share: number): string => `${share * 100} %`
const perSecond = (count: number): string => `${count.toLocaleString('en')} a second`

/** The one table of defaults, in the words of its readers. */
const rows: readonly (readonly [what: string, value: string])[] = [
  ['`interval` of a check', formatDuration(checkDefaults.intervalMs)],
  ['shortest `interval`', formatDuration(shortestIntervalMs)],
  [
    '`timeout`; of `Custom`',
    `${formatDuration(checkDefaults.timeoutMs)}; ${formatDuration(checkDefaults.scriptTimeoutMs)}; at most half the interval`,
  ],
  [
    'suspect after an answer is late by (`health.rules.suspectAfter`)',
    formatDuration(healthRules.suspectAfterMs),
  ],
  ['re-checks of a suspect (`rechecks`)', String(healthRules.rechecks)],
  ['one every (`recheckEvery`)', formatDuration(healthRules.recheckEveryMs)],
  ['each for (`recheckTimeout`)', formatDuration(healthRules.recheckTimeoutMs)],
  ['`rise`: passes until it is back; of `TTL`', `${checkDefaults.rise}; ${checkDefaults.ttlRise}`],
  ['`degraded.weight`', String(checkDefaults.degradedWeight)],
  ['flap damping: a time out counts 1, and half of that after', formatDuration(dampingRules.halfLifeMs)],
  ['… held above, until below', `${dampingRules.suppress}, ${dampingRules.reuse}`],
  [
    '… and never longer than',
    formatDuration(
      Math.round((dampingRules.halfLifeMs * Math.log2(dampingRules.most / dampingRules.reuse)) / 1000) * 1000,
    ),
  ],
  ['`health.budget`: checks of the business requests', percent(budgetRules.share)],
  ['`health.freePerSecond`: checks that need no business', perSecond(budgetRules.freePerSecond)],
  ['longest interval that the budget makes', formatDuration(budgetRules.longestMs)],
  ['`health.maxPerSecond`', perSecond(budgetRules.maxPerSecond)],
  ['ping of a session', formatDuration(defaultTimes.ping)],
  ['… silent after', formatDuration(defaultTimes.silent)],
  ['lease of a registration (`registry.lease`)', formatDuration(defaultSettings.leaseMs)],
]

// The page is made new by `npx vitest run --project unit test/repo/health.test.ts -u`.
it('docs/health.md has the defaults that hold', async () => {
  const page = readText('docs/health.md')
  const [head = '', rest = ''] = page.split(markers[0])
  const tail = rest.split(markers[1])[1] ?? ''
  const table = [
    '| what | default |',
    '| --- | --- |',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
  ]
  const renewed = `${head}${markers[0]}\n\n${table.join('\n')}\n\n${markers[1]}${tail}`
  expect(tail.length).toBeGreaterThan(1000)
  await expect(renewed).toMatchFileSnapshot(`${root}/docs/health.md`)
})

it('what the configuration says by default is what the table says', () => {
  expect(configured.rules).toEqual(healthRules)
  expect(configured.budget).toBe(budgetRules.share)
  expect(configured.freePerSecond).toBe(budgetRules.freePerSecond)
  expect(configured.maxPerSecond).toBe(budgetRules.maxPerSecond)
})

it('docs/health.md shows only YAML that loads', () => {
  const blocks = [...readText('docs/health.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    match => match[1] ?? '',
  )
  expect(blocks.length).toBeGreaterThan(3)
  for (const block of blocks) {
    // An item by itself stands for one of a list.
    const text = block.startsWith(' ') ? `services:\n  order:\n    healthChecks:\n${block}` : block
    expect(readConfig(text, 'docs/health.md')).toMatchObject({ ok: true })
  }
})
