import { retryTroubles } from '@portolan/core'
import { z } from 'zod'
import { described, duration, said } from '../scalars.ts'

const reason = z.union([z.enum(retryTroubles), z.int().min(400).max(599)], {
  error: issue =>
    said(
      `${described(issue.input)} is nothing to retry on`,
      `write ${retryTroubles.join(', ')} or a status from 400 to 599`,
    ),
})

const fields = {
  attempts: z
    .int()
    .min(0)
    .max(10)
    .optional()
    .describe('How often a request may be tried again; 0: never.')
    .meta({ unset: '1, and 3 where connections are refused' }),
  perTryTimeout: duration
    .optional()
    .describe('How long an instance may take to begin its answer, from the request’s last byte.')
    .meta({ unset: 'as long as the request has' }),
  on: z
    .array(reason)
    .max(50)
    .optional()
    .describe(
      'What is tried again: `refused`, `connect` (no connection otherwise), `reset` (lost before an answer), `timeout` (of one try), statuses.',
    )
    .meta({ unset: '`refused`, `connect` and `reset`, and `timeout` with `perTryTimeout`' }),
}

/** How requests by one route are tried again. */
export const routeRetry = z.strictObject(fields)

/** How requests to one service are tried again, and what that may cost. */
export const serviceRetry = z.strictObject({
  ...fields,
  budget: z
    .strictObject({
      ratio: z
        .number()
        .min(0)
        .max(1)
        .default(0.2)
        .describe('Further tries as a share of the service’s requests of the last ten seconds.'),
      minPerSecond: z
        .number()
        .min(0)
        .max(1_000_000)
        .default(10)
        .describe('So many further tries a second, where the ratio grants fewer.'),
    })
    .prefault({})
    .describe('What all further tries of each gateway together may cost.'),
})
