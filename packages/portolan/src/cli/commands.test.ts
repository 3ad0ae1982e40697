import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Registration } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openTested, registered, someone, type Tested } from '../api/testing/open-tested.ts'
import { grant } from '../registry/access/grants.ts'
import { commands } from './commands.ts'
import { runCommandLine } from './program.ts'
import { openTerminal, portolan } from './testing/terminal.ts'

let tested: Tested
const ask = (...line: string[]) => portolan(line, { env: { PORTOLAN_URL: tested.url } })

const register = (service: string, id: string, more: Partial<Registration> = {}) =>
  registered(tested, service, id, more)

beforeEach(async () => {
  tested = await openTested()
})
afterEach(() => tested.close())

describe('looking', () => {
  it('says that nothing is there', async () => {
    expect(await ask('services')).toEqual({ exit: 0, out: 'no service is registered\n', err: '' })
    expect((await ask('instances', 'order')).out).toBe('no instance of order is registered\n')
    expect(await ask('resolve', 'order')).toEqual({
      exit: 1,
      out: '',
      err: 'error: order has no instance that may be picked [no_instance_available]\n  none is registered\n',
    })
  })

  it('lists services, of one namespace or of all', async () => {
    await register('order', 'order-1')
    await register('order', 'order-2')
    await register('cart', 'cart-1', { namespace: 'staging' })
    expect((await ask('services')).out).toBe('SERVICE  INSTANCES  HEALTHY\norder    2          2\n')
    expect((await ask('services', '--all')).out).toContain('staging/cart  1          1')
    expect(JSON.parse((await ask('services', '-n', 'staging', '--json')).out)).toEqual([
      { namespace: 'staging', service: 'cart', instances: 1, healthy: 1 },
    ])
  })

  it('lists instances, with what speaks against them', async () => {
    await register('order', 'order-1', {
      zone: 'a',
      metadata: { pid: '4711' },
      addresses: ['127.0.0.1', '::1'],
    })
    await register('order', 'order-2')
    await tested.registry.override({ namespace: 'default', service: 'order', id: 'order-2' }, someone, {
      outOfService: true,
      reason: 'bad disk',
    })
    expect((await ask('instances', 'order')).out).toBe(
      [
        'ID       ADDRESS                    WEIGHT  ZONE  VERSION  OWNER  PID   HEALTH',
        'order-1  127.0.0.1:8080 [::1]:8080  1       a     -        ops    4711  healthy',
        'order-2  127.0.0.1:8080             1       -     -        ops    -     operator (bad disk)',
        '',
      ].join('\n'),
    )
    const { out } = await ask('instances', 'order', '--healthy', '--zone', 'a', '--json')
    expect(JSON.parse(out).instances.map(({ id }: { id: string }) => id)).toEqual(['order-1'])
  })

  it('lets nothing that was registered steer the terminal', async () => {
    await register('order', 'order-1', { version: '\u001b[31mred\u0007' })
    const { out } = await ask('instances', 'order')
    expect(out).not.toContain('\u001b')
    expect(out).toContain('?[31mred?')
  })

  it('says when clients pick among the least bad', async () => {
    await register('order', 'order-1')
    const name = { namespace: 'default', service: 'order', id: 'order-1' }
    await tested.registry.report(name, { kind: 'tcp', owner: 'test', reason: 'refused' })
    const { exit, err } = await ask('resolve', 'order')
    expect({ exit, err }).toEqual({
      exit: 0,
      err: 'every instance carries a cause: clients pick among the least bad\npicked by least-request, without keys, from no zone\n',
    })
  })
})

describe('watch', () => {
  it('shows what is there, then each change, and ends on Ctrl-C', async () => {
    await register('order', 'order-1')
    const terminal = openTerminal({ env: { PORTOLAN_URL: tested.url } })
    const watching = runCommandLine(commands, '0', ['watch', 'order'], terminal.io)
    await vi.waitFor(() => expect(terminal.out()).toContain('+ order-1'))
    await register('order', 'order-2', { weight: 5 })
    await vi.waitFor(() => expect(terminal.out()).toContain('+ order-2  127.0.0.1:8080  healthy  weight 5\n'))
    await tested.registry.deregister({ namespace: 'default', service: 'order', id: 'order-1' }, someone)
    await vi.waitFor(() => expect(terminal.out()).toContain('- order-1  goodbye\n'))
    terminal.interrupt()
    expect(await watching).toBe(0)
    expect(terminal.out()).toMatch(/^= 1 instance at [\w-]+\.\d+\n/)
    expect(terminal.err()).toBe('')
  })

  it('writes JSON lines for programs, as many changes as asked for', async () => {
    const terminal = openTerminal({ env: { PORTOLAN_URL: tested.url } })
    const watching = runCommandLine(
      commands,
      '0',
      ['watch', 'order', '--json', '--changes', '1'],
      terminal.io,
    )
    await vi.waitFor(() => expect(terminal.out()).toContain('"synced"'))
    await register('order', 'order-1')
    expect(await watching).toBe(0)
    const events = terminal
      .out()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events.map(({ event }) => event)).toEqual(['snapshot', 'synced', 'put'])
    expect(events[2].data).toMatchObject({ id: 'order-1', causes: [] })
  })

  it('goes on when the registry is back', async () => {
    const terminal = openTerminal({ env: { PORTOLAN_URL: tested.url } })
    const { port } = tested
    const watching = runCommandLine(commands, '0', ['watch', 'order'], terminal.io)
    await vi.waitFor(() => expect(terminal.out()).toContain('= 0 instances'))
    await tested.close()
    await vi.waitFor(() => expect(terminal.err()).toContain('trying again'), { timeout: 5000 })
    tested = await openTested({ settings: { listen: [{ host: '127.0.0.1', port }] } })
    await register('order', 'order-1')
    await vi.waitFor(() => expect(terminal.out()).toContain('+ order-1'), { timeout: 5000 })
    terminal.interrupt()
    expect(await watching).toBe(0)
  })
})

describe('operating', () => {
  it('drains by service and id, or by the id alone', async () => {
    await register('order', 'order-1')
    await register('order', 'order-2')
    const drained = 'order-1 is drained: every subscriber has let go of it\n'
    expect(await ask('drain', 'order', 'order-1')).toEqual({ exit: 0, out: drained, err: '' })
    expect((await ask('drain', 'order-2', '--json')).out).toBe(
      '{"namespace":"default","service":"order","id":"order-2","acknowledged":true}\n',
    )
    expect((await ask('instances', 'order')).out.match(/draining/g)).toHaveLength(2)
    expect((await ask('drain', 'order', 'order-1', '--undo')).out).toContain('order-1  127.0.0.1:8080')
    expect(JSON.parse((await ask('drain', 'order-2', '--undo', '--json')).out)).toMatchObject({ causes: [] })
    expect((await ask('instances', 'order')).out).not.toContain('draining')
  })

  it('does not guess which instance is meant', async () => {
    await register('order', 'one')
    await register('cart', 'one')
    const ambiguous = await ask('drain', 'one')
    expect(ambiguous.exit).toBe(2)
    expect(ambiguous.err).toContain('name the service too: cart one, or order one')
    const unknown = await ask('drain', 'onee')
    expect(unknown).toMatchObject({ exit: 1, out: '' })
    expect(unknown.err).toContain('did you mean one?')
    expect(await ask('drain', 'order', 'two')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('[instance_not_found]'),
    })
  })

  it('ends with 1 when somebody did not let go in time, and shows that time passes', async () => {
    await register('order', 'order-1')
    const name = { namespace: 'default', service: 'order' }
    const deaf = tested.registry.subscribe(name, undefined, () => true, { who: 'deaf' })
    const terminal = openTerminal({ env: { PORTOLAN_URL: tested.url }, live: true })
    const line = ['drain', 'order', 'order-1', '--grace', '1200ms']
    const exit = await runCommandLine(commands, '0', line, terminal.io)
    deaf.close()
    expect(exit).toBe(1)
    expect(terminal.out()).toBe('order-1 is draining; some subscribers did not answer within 1200ms\n')
    expect(terminal.err()).toContain('draining order order-1: 1s of at most 1200ms')
  })

  it('overrides, and takes it back', async () => {
    await register('order', 'order-1')
    expect((await ask('override', 'order', 'order-1', '--weight', '5')).out).toContain(
      'order-1  127.0.0.1:8080  5 ',
    )
    const out = await ask('override', 'order', 'order-1', '--out-of-service', '--reason', 'bad disk')
    expect(out.out).toContain('operator (bad disk)')
    const cleared = await ask('override', 'order', 'order-1', '--clear', '--json')
    expect(JSON.parse(cleared.out)).toMatchObject({ weight: 1, causes: [] })
  })
})

describe('tokens', () => {
  it('are made, listed and revoked', async () => {
    const made = await ask('token', 'create', 'ci', '--verbs', 'read,register', '--services', 'order')
    expect(made).toMatchObject({ exit: 0, out: expect.stringMatching(/^ptl_[\w-]{43}\n$/) })
    const secret = made.out.trim()
    expect(tested.access.authenticate(secret)).toMatchObject({
      name: 'ci',
      grants: [grant(['read', 'register'], '*', 'order')],
    })
    const { out } = await ask('token', 'list')
    expect(out).toMatch(
      /^ID +NAME +MAY +FROM +EXPIRES\n[0-9a-f]{16} +ci +read,register:\*\/order +store +never\n$/,
    )
    expect(out).not.toContain(secret)
    const [id = ''] = out.split('\n')[1]?.split(' ') ?? []
    expect((await ask('token', 'revoke', id)).out).toBe(`token ${id} is revoked\n`)
    expect(() => tested.access.authenticate(secret)).toThrow()
    expect((await ask('token', 'revoke', id)).exit).toBe(1)
  })

  it('are shown to the registry, and missed', async () => {
    await tested.close()
    tested = await openTested({ anonymous: 'none' })
    const { secret } = await tested.access.mint({ name: 'reader', grants: [grant(['read'], '*')] })
    expect(await ask('services')).toMatchObject({ exit: 1, err: expect.stringContaining('[unauthorized]') })
    expect((await ask('services', '--token', secret)).exit).toBe(0)
    const env = { PORTOLAN_URL: tested.url, PORTOLAN_TOKEN: secret }
    expect((await portolan(['services'], { env })).exit).toBe(0)
    expect(await portolan(['token', 'list'], { env })).toMatchObject({
      exit: 1,
      err: expect.stringContaining('[forbidden]'),
    })
    const doctor = await ask('doctor')
    expect(doctor.exit).toBe(1)
    expect(doctor.out).toContain('fail  token: this server answers callers with a token only')
  })
})

describe('doctor', () => {
  it('finds nothing to fail beside a registry that answers', async () => {
    const { exit, out } = await ask('doctor')
    expect(out).toMatch(/^ok {4}Node\.js: /)
    expect(out).toContain(`ok    registry: answers at ${tested.url}`)
    expect(exit).toBe(0)
    const { findings } = JSON.parse((await ask('doctor', '--json')).out)
    expect(findings.length).toBeGreaterThan(8)
  })
})

describe('run', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const source = ['--import', 'tsx', '--conditions=portolan-source', main]
  const program = `
    const server = require('node:http').createServer((q, r) => r.end(process.env.PORTOLAN_INSTANCE))
    server.listen(process.env.PORT, '127.0.0.1')
    process.on('SIGTERM', () => process.exit(7))
  `

  it('registers a program while it runs, drains it, and passes its exit status on', async () => {
    const line = [
      'run',
      '--service',
      'hello',
      '--id',
      'hello-1',
      '--tag',
      'blue',
      '--meta',
      'a=b',
      '--',
      process.execPath,
      '-e',
      program,
    ]
    const env = { ...process.env, PORTOLAN_URL: tested.url, PORT: undefined }
    const child = spawn(process.execPath, [...source, ...line], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const exited = once(child, 'exit')
    try {
      const name = { namespace: 'default', service: 'hello', id: 'hello-1' }
      const found = await vi.waitFor(
        () => {
          const instance = tested.registry.find(name)
          if (instance === undefined) throw new Error('not registered')
          return instance
        },
        { timeout: 15_000, interval: 50 },
      )
      expect(found).toMatchObject({
        tags: ['blue'],
        metadata: { a: 'b', pid: expect.any(String) },
        addresses: ['127.0.0.1'],
      })
      const answer = await fetch(`http://127.0.0.1:${found.ports[0]?.number}/`)
      expect(await answer.text()).toBe('hello-1')
      child.kill('SIGTERM')
      expect(await exited).toEqual([7, null])
      await vi.waitFor(() => expect(tested.registry.find(name)).toBeUndefined())
    } finally {
      child.kill('SIGTERM')
    }
  })

  it('says what cannot be started, and whose the port is', async () => {
    const missing = await ask('run', '--service', 'x', '--', '/no/such/program')
    expect(missing).toMatchObject({ exit: 1, err: expect.stringContaining('[workload_failed]') })
    const taken = createServer().listen(0)
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const refused = await ask('run', '--service', 'x', '--port', String(port), '--', 'true')
    taken.close()
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining(`port ${port} is in use`) })
  })
})
