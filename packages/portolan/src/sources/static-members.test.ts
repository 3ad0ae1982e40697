import { expect, it } from 'vitest'
import type { Health } from '../health/health.ts'
import { nameOf, openTested } from '../registry/testing/open-tested.ts'
import { applyStaticMembers } from './static-members.ts'

const member = {
  ...nameOf('legacy-1'),
  address: { host: 'legacy.internal', port: 8080 },
} as Parameters<typeof applyStaticMembers>[0][number]
const health = { startingReason: () => 'not tested yet' } as unknown as Health

it('goes on with the run that there is when its name has the same addresses in another order', async () => {
  const { registry } = await openTested()
  const apply = (...addresses: readonly string[]) =>
    applyStaticMembers(
      [member],
      registry,
      health,
      () => {},
      async () => addresses,
    )
  await apply('10.0.0.1', '10.0.0.2')
  const before = registry.find(member)
  expect(before?.addresses).toEqual(['10.0.0.1', '10.0.0.2'])
  await apply('10.0.0.2', '10.0.0.1')
  expect(registry.find(member)).toEqual(before)
  await apply('10.0.0.2')
  expect(registry.find(member)).toMatchObject({ addresses: ['10.0.0.2'] })
  expect(registry.find(member)?.incarnation).toBeGreaterThan(before?.incarnation ?? 0)
})

it('says in words which one it leaves out, and why', async () => {
  const { registry } = await openTested()
  const lines: string[] = []
  const nowhere = async () => {
    throw new Error('getaddrinfo ENOTFOUND legacy.internal')
  }
  await applyStaticMembers([member], registry, health, line => lines.push(line), nowhere)
  expect(lines).toEqual(['static member left out: order/legacy-1: getaddrinfo ENOTFOUND legacy.internal'])
})
