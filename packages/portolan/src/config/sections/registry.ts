import { parseHostPort, parseIp, parseNetwork } from '@portolan/core'
import { z } from 'zod'
import { described, duration, said } from '../scalars.ts'

const target = z.string().refine(text => parseNetwork(text) !== undefined || isAddressWithPort(text), {
  error: issue =>
    said(
      `${described(issue.input)} is neither a network nor IP:PORT`,
      'write 169.254.7.0/24 or 127.0.0.1:7400',
    ),
})

function isAddressWithPort(text: string): boolean {
  try {
    return parseIp(parseHostPort(text).host) !== undefined
  } catch {
    return false
  }
}

export const registrySection = z
  .strictObject({
    lease: duration
      .prefault('15s')
      .describe('How long a registration lives without a heartbeat, and after its session fell silent.'),
    allowTargets: z
      .array(target)
      .max(1000)
      .default([])
      .describe(
        'Networks and IP:PORT that instances may be registered at although they are link-local or this server’s own.',
      ),
  })
  .prefault({})
  .describe('The registry itself.')
