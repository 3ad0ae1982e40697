import { budgetRules, formatDuration, healthRules } from '@portolan/core'
import { z } from 'zod'
import { described, duration, said } from '../scalars.ts'

const share = z
  .string({ error: issue => said(`${described(issue.input)} is no share`, 'write it in percent: 5%') })
  .transform((text, context): number => {
    const [, percent] = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text) ?? []
    if (percent !== undefined && Number(percent) > 0 && Number(percent) <= 100) return Number(percent) / 100
    const message = said(`${described(text)} is no share`, 'write more than 0% and at most 100%: 5%')
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const rules = z
  .strictObject({
    suspectAfter: duration
      .prefault(formatDuration(healthRules.suspectAfterMs))
      .describe('A probe unanswered for so long makes its instance suspect.'),
    rechecks: z
      .int()
      .min(1)
      .max(20)
      .default(healthRules.rechecks)
      .describe('A suspect is looked at again so many times, and is out when all fail.'),
    recheckEvery: duration
      .prefault(formatDuration(healthRules.recheckEveryMs))
      .describe('Time between two of these, none waiting for another.'),
    recheckTimeout: duration
      .prefault(formatDuration(healthRules.recheckTimeoutMs))
      .describe('How long each of them may take.'),
  })
  .prefault({})
  .describe(
    'How fast failures are noticed. Rarely touched: shorter times take paused instances for dead ones.',
  )

export const healthSection = z
  .strictObject({
    budget: share
      .prefault('5%')
      .describe(
        'Checks stay below this share of the business requests, where other signs of life are fresh; each instance is still probed every 30 s.',
      ),
    freePerSecond: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(budgetRules.freePerSecond)
      .describe('So many checks a second, all in all, are within the budget whatever the business is.'),
    maxPerSecond: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(10_000)
      .describe('Never more probes a second, all in all.'),
    concurrency: z.int().min(1).max(100_000).default(512).describe('Probes under way at the same time.'),
    rules,
  })
  .prefault({})
  .describe('How much the health checks of all services may cost, and how they judge.')
