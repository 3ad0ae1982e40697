import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands } from './commands.ts'
import { portolan } from './testing/terminal.ts'

describe('the command line', () => {
  it('prints its version and its help with 0', async () => {
    expect(await portolan(['--version'])).toEqual({ exit: 0, out: '1.2.3\n', err: '' })
    const { exit, out } = await portolan(['--help'])
    expect(exit).toBe(0)
    for (const { name } of commands) expect(out).toContain(name.split(' ')[0])
  })

  it('has help with examples for every command', async () => {
    for (const { name, examples } of commands) {
      const { exit, out } = await portolan([...name.split(' '), '--help'])
      expect(exit).toBe(0)
      expect(out).toContain(`Usage: portolan ${name}`)
      expect(out).toContain('Global Options:')
      expect(out).toContain(`Examples:\n  $ ${examples[0]?.[0]}`)
    }
  })

  it.each([
    ['an unknown command', ['serivces'], "error: unknown command 'serivces'\n(Did you mean services?)"],
    ['an unknown option', ['services', '--al'], "error: unknown option '--al'\n(Did you mean --all?)"],
    ['a missing argument', ['instances'], "error: missing required argument 'SERVICE'"],
    ['too many arguments', ['services', 'x'], 'error: too many arguments'],
    ['no command', [], 'Usage: portolan'],
    [
      'a URL that is none',
      ['services', '--url', 'localhost:7400'],
      'error: --url localhost:7400: not the address',
    ],
    ['a duration that is none', ['drain', 'a', 'b', '--grace', '3'], 'error: --grace 3: not a duration'],
    ['a drain of nothing', ['drain'], 'error: which instance?'],
    ['an override of nothing', ['override', 'a', 'b'], 'error: override what?'],
    ['a weight that is none', ['override', 'a', 'b', '--weight', 'x'], 'error: --weight x: not a number'],
    ['a policy that is none', ['resolve', 'a', '--policy', 'randm'], 'did you mean "random"?'],
    [
      'a verb that is none',
      ['token', 'create', 'x', '--verbs', 'write'],
      'error: --verbs write: no such verb',
    ],
    ['run without a service', ['run', '--', 'true'], 'error: which service'],
    ['run with a name that is none', ['run', '--service', 'b d', '--', 'true'], 'error: service is "b d"'],
    [
      'run with an address that is none',
      ['run', '--service', 'x', '--address', 'localhost', '--', 'true'],
      'error: addresses[0] is "localhost"',
    ],
    [
      'run with an id that is none',
      ['run', '--service', 'x', '--id', 'a/b', '--', 'true'],
      'error: id is "a/b"',
    ],
    [
      'a check with an open quote',
      ['run', '--service', 'x', '--check', "./check 'a", '--', 'true'],
      "error: --check ./check 'a: a ' is not closed",
    ],
    ['a check of nothing', ['run', '--service', 'x', '--check', ' ', '--', 'true'], 'names no program'],
    [
      'a check that is no list',
      ['run', '--service', 'x', '--check-command', '"./check"', '--', 'true'],
      'error: --check-command "./check": not an array of strings',
    ],
    [
      'a check that takes longer than its interval',
      ['run', '--service', 'x', '--check', 'a', '--check-timeout', '10s', '--', 'true'],
      'error: --check-timeout 10s: no less than the interval, 5s',
    ],
    [
      'an interval that is none',
      ['run', '--service', 'x', '--check', 'a', '--check-interval', 'foo', '--', 'true'],
      'error: --check-interval foo: not a duration',
    ],
    [
      'checks without a pause',
      ['run', '--service', 'x', '--check', 'a', '--check-interval', '10ms', '--', 'true'],
      'error: --check-interval 10ms',
    ],
    ['run without a program', ['run', '--service', 'x'], "error: missing required argument 'CMD'"],
  ])('answers %s with 2 and what to do', async (_, line, words) => {
    const { exit, out, err } = await portolan(line)
    expect({ exit, out }).toEqual({ exit: 2, out: '' })
    expect(err).toContain(words)
  })

  it('says how to start a registry when none answers', async () => {
    const { port } = await freePort()
    const url = `http://127.0.0.1:${port}`
    const { exit, err } = await portolan(['services'], { env: { PORTOLAN_URL: `${url}, http://other:1` } })
    expect(exit).toBe(1)
    expect(err).toBe(
      `error: no registry answers at ${url} [registry_unreachable]\n  start one with \`portolan up\`, or name another with --url or PORTOLAN_URL\n`,
    )
    const json = await portolan(['services', '--json', '--url', url])
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'registry_unreachable', retryable: true } })
    expect(json).toMatchObject({ exit: 1, out: '' })
  })

  it('says that somebody else answers', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<html>'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { exit, err } = await portolan(['services', '--url', `http://127.0.0.1:${port}`])
    expect(exit).toBe(1)
    expect(err).toContain(`http://127.0.0.1:${port} answered with status 404`)
    expect(err).toContain('is there a Portolan registry?')
    server.closeAllConnections()
    server.close()
  })
})

async function freePort(): Promise<{ readonly port: number }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return { port }
}

describe('check', () => {
  let cwd: string
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'portolan-check-'))
    await writeFile(join(cwd, 'portolan.yaml'), 'services:\n  a: { scaling: { max: 3 } }\n')
    await writeFile(join(cwd, 'bad.yaml'), 'gatway: {}\nregistry: { lease: 3 }\n')
  })
  afterAll(() => rm(cwd, { recursive: true }))

  it('takes a file that holds, and warns', async () => {
    expect(await portolan(['check'], { cwd })).toEqual({
      exit: 0,
      out: 'portolan.yaml holds, with 1 warning\n',
      err: 'warning portolan.yaml:2:8: services.a.scaling: accepted, not active in this version\n    set run.replicas: the number does not change by itself yet\n',
    })
  })

  it('lists all that is wrong, with 1', async () => {
    expect(await portolan(['check', 'bad.yaml'], { cwd })).toEqual({
      exit: 1,
      out: 'bad.yaml:1:1: unknown key "gatway"\n    did you mean "gateway"?\nbad.yaml:2:20: registry.lease: the number 3 is not a duration\n    say the unit: 3s, or 3ms\n',
      err: 'bad.yaml: 2 problems\n',
    })
    const { out } = await portolan(['check', 'bad.yaml', '--json'], { cwd })
    expect(JSON.parse(out)).toMatchObject({ ok: false, problems: [{ line: 1 }, { line: 2, column: 20 }] })
  })

  it('cannot read what is not there, with 2', async () => {
    const { exit, err } = await portolan(['check', 'none.yaml'], { cwd })
    expect(exit).toBe(2)
    expect(err).toContain('there is no such file')
  })
})

describe('token create --offline', () => {
  it('prints a secret, and YAML that loads with its hash', async () => {
    const { createHash } = await import('node:crypto')
    const { readConfig } = await import('../config/load.ts')
    const words = ['--verbs', 'read,register', '--services', 'order', '--expires', '2030-01-01T00:00:00Z']
    const { exit, out } = await portolan(['token', 'create', 'ci', '--offline', ...words])
    expect(exit).toBe(0)
    const [secret = '', ...yaml] = out.split('\n')
    expect(secret).toMatch(/^ptl_[\w-]{43}$/)
    const reading = readConfig(yaml.join('\n'), 'portolan.yaml')
    expect(reading.ok && reading.loaded.config.auth.tokens).toEqual([
      {
        name: 'ci',
        sha256: createHash('sha256').update(secret).digest('hex'),
        verbs: ['read', 'register'],
        services: ['order'],
        expires: '2030-01-01T00:00:00.000Z',
      },
    ])
  })
})
