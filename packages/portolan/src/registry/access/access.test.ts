import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { type Access, type AccessOptions, authorize, openAccess } from './access.ts'
import { allGrants, every, grant, onInstance } from './grants.ts'
import { hashOf, newSecret } from './tokens.ts'

const log = pino({ level: 'silent' })
const register = [grant(['register'], 'default', 'order')]

let store: Store
let open: Access[]

beforeEach(() => {
  store = openMemoryStore()
  open = []
})

afterEach(async () => {
  for (const access of open) await access.close()
  await store.close()
})

async function openOne(options: Partial<AccessOptions> = {}): Promise<Access> {
  const access = await openAccess({ store, log, anonymous: 'none', ...options })
  open.push(access)
  return access
}

describe('tokens', () => {
  it('are good as soon as they are minted, and stored by their hash alone', async () => {
    const access = await openOne()
    const { secret, token } = await access.mint({ name: 'deployer', grants: register })
    expect(secret).toMatch(/^ptl_[A-Za-z0-9_-]{43}$/)
    expect(access.authenticate(secret)).toMatchObject({ name: 'deployer', grants: register })
    const { entries } = await store.read('')
    expect(entries.map(({ key }) => key)).toEqual([`tokens/${hashOf(secret)}`])
    expect(JSON.stringify(entries)).not.toContain(secret)
    expect(token.id).toBe(hashOf(secret).slice(0, 16))
  })

  it('survive a restart', async () => {
    const { secret } = await (await openOne()).mint({ name: 'deployer', grants: register })
    expect((await openOne()).authenticate(secret).name).toBe('deployer')
  })

  it('are void everywhere once they are revoked', async () => {
    const [here, there] = [await openOne(), await openOne()]
    const { secret, token } = await here.mint({ name: 'deployer', grants: register })
    await here.revoke(token.id)
    expect(() => here.authenticate(secret)).toThrow(expect.objectContaining({ code: 'unauthorized' }))
    await expect.poll(() => there.list()).toEqual([])
    expect(() => there.authenticate(secret)).toThrow(/unknown, revoked or expired/)
    await expect(here.revoke(token.id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('replace those of the same name where that is asked for', async () => {
    const access = await openOne()
    const first = await access.mint({ name: 'instance:order/order-1', grants: register })
    const other = await access.mint({ name: 'instance:order/order-2', grants: register })
    const second = await access.mint({ name: 'instance:order/order-1', grants: register, replace: true })
    expect(() => access.authenticate(first.secret)).toThrow()
    expect(access.authenticate(second.secret).name).toBe('instance:order/order-1')
    expect(access.authenticate(other.secret).name).toBe('instance:order/order-2')
  })

  it('end when they expire', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z')
    const access = await openOne({ wall: () => now })
    const { secret } = await access.mint({ name: 'guest', grants: register, expires: '2030-01-01T00:01:00Z' })
    expect(access.authenticate(secret).name).toBe('guest')
    now += 60_000
    expect(() => access.authenticate(secret)).toThrow(expect.objectContaining({ code: 'unauthorized' }))
  })

  it('of the configuration file come and go with it', async () => {
    const [first, second] = [newSecret(), newSecret()]
    const token = (secret: string) => ({ name: 'ops', sha256: hashOf(secret), grants: allGrants })
    const access = await openOne({ configured: [token(first)] })
    const { secret } = await access.mint({ name: 'deployer', grants: register })
    access.configure([token(second)])
    expect(() => access.authenticate(first)).toThrow(expect.objectContaining({ code: 'unauthorized' }))
    expect(access.authenticate(second).name).toBe('ops')
    expect(access.authenticate(secret).name).toBe('deployer')
    expect(access.list()).toHaveLength(2)
  })

  it('of the configuration file are told of when they may have changed, to whoever wants to know', async () => {
    const secret = newSecret()
    const access = await openOne()
    const heard: string[] = []
    const stop = access.onConfigured(() => heard.push(access.authenticate(secret).name))
    access.configure([{ name: 'ops', sha256: hashOf(secret), grants: allGrants }])
    expect(heard).toEqual(['ops'])
    stop()
    access.configure([])
    expect(heard).toEqual(['ops'])
  })

  it('of the configuration file are as good, and cannot be revoked', async () => {
    const secret = newSecret()
    const sha256 = hashOf(secret).toUpperCase()
    const access = await openOne({
      configured: [{ name: 'ops', sha256, grants: allGrants, at: 'portolan.yaml:7' }],
    })
    expect(access.authenticate(secret).name).toBe('ops')
    const [token] = access.list()
    expect(token).toMatchObject({ name: 'ops', from: 'config' })
    await expect(access.revoke(token?.id ?? '')).rejects.toMatchObject({
      code: 'read_only',
      message: expect.stringContaining('portolan.yaml:7'),
    })
  })

  it.each(['', 'ptl_', 'ptl_guess', 'Bearer x', `ptl_${'A'.repeat(43)}`, newSecret(), hashOf('x')])(
    'are not %j',
    async guess => {
      const access = await openOne({ anonymous: 'admin' })
      await access.mint({ name: 'deployer', grants: register })
      expect(() => access.authenticate(guess)).toThrow(expect.objectContaining({ code: 'unauthorized' }))
    },
  )

  it.each(['', 'anonymous', 'a b', 'x'.repeat(401), 'naïve'])('cannot be called %j', async name => {
    const access = await openOne()
    await expect(access.mint({ name, grants: register })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(access.mint({ name: 'ok', grants: [] })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(access.list()).toEqual([])
  })
})

describe('callers without a token', () => {
  it.each([
    ['admin', true, true],
    ['read', true, false],
    ['none', false, false],
  ] as const)('with anonymous: %s may read: %s, register: %s', async (anonymous, read, write) => {
    const access = await openOne({ anonymous })
    const may = (verb: 'read' | 'register') => () =>
      authorize(
        access.authenticate(undefined),
        onInstance(verb, { namespace: 'default', service: 's', id: 'i' }),
      )
    if (read) expect(may('read')()).toMatchObject({ name: 'anonymous' })
    else expect(may('read')).toThrow(expect.objectContaining({ code: 'unauthorized' }))
    if (write) expect(may('register')()).toEqual({ name: 'anonymous', admin: true })
    else expect(may('register')).toThrow()
  })
})

describe('who acts', () => {
  const name = { namespace: 'default', service: 'order', id: 'order-1' }

  it('is an admin only where its grant says so', () => {
    const owner = { name: 'deployer', grants: register }
    expect(authorize(owner, onInstance('register', name))).toEqual({ name: 'deployer', admin: false })
    const chief = { name: 'chief', grants: [...register, grant(['admin'], 'default', 'payment')] }
    expect(authorize(chief, onInstance('register', name)).admin).toBe(false)
    expect(authorize({ name: 'root', grants: allGrants }, onInstance('register', name)).admin).toBe(true)
  })

  it('is told what it lacks', () => {
    const reader = { name: 'reader', grants: [grant(['read'], every)] }
    expect(() => authorize(reader, onInstance('register', name))).toThrow(
      'reader may not register default/order/order-1',
    )
  })
})
