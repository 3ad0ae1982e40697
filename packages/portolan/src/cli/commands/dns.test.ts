import { describe, expect, it } from 'vitest'
import type { Io } from '../command.ts'
import { dns } from './dns.ts'

const io: Io = {
  out: () => {},
  err: () => {},
  live: false,
  colours: false,
  env: {},
  cwd: '/',
  // Whoever gets as far as to start ends at once.
  signal: AbortSignal.abort(),
}

const run = (options: Readonly<Record<string, unknown>>) => dns.run({ args: [], options }, io)

describe('portolan dns', () => {
  it.each([
    ['ttl', '25d', '--ttl 25d: DNS answers are kept for a day at most'],
    ['negativeTtl', '86401s', '--negative-ttl 86401s: DNS answers are kept for a day at most'],
    ['ttl', '1500ms', 'DNS counts whole seconds'],
    ['forwardTimeout', '61s', '--forward-timeout 61s: at most a minute'],
  ])('refuses --%s %s', async (option, value, message) => {
    await expect(run({ [option]: value })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(message),
    })
  })

  it('refuses a domain that is to have both forms of names', async () => {
    await expect(run({ domain: ['svc', 'Consul.'] })).rejects.toMatchObject({
      code: 'invalid_request',
      message: '--consul-domain consul: it is a --domain, too',
    })
  })
})
