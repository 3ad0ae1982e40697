import { expect, it } from 'vitest'
import { admin, openTested, order, registrationOf } from './testing/open-tested.ts'

it('keeps an instance that was stored with a priority that nobody can read, and warns of it', async () => {
  const before = await openTested()
  for (const [id, priority] of [
    ['good', '3'],
    ['bad', 'first'],
  ] as const) {
    // As an older version let it in: today's parser refuses the latter.
    const registration = { ...registrationOf(id), metadata: { priority } }
    await before.registry.register({ registration, principal: admin, source: 'http', tether: 'lease' })
  }
  const after = await before.restart()
  expect(after.registry.view(order).instances.map(({ id }) => id)).toEqual(['bad', 'good'])
  expect(after.logged.filter(({ priority }) => priority !== undefined)).toEqual([
    expect.objectContaining({
      level: 40,
      instance: { ...order, id: 'bad' },
      priority: 'first',
      msg: expect.stringContaining('picked last'),
    }),
  ])
  await after.registry.close()
})
