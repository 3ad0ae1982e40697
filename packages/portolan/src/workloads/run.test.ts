import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Registration } from '@portolan/core'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { processesWith } from '../health/probes/testing/scripts.ts'
import { hasEnded, readProcess } from './proc-table.ts'
import type { ProgramCheck } from './program-checks.ts'
import { runProgram } from './run.ts'
import { listeningRegistrar, programCommand, until } from './testing/quay.ts'
import { endRunners, type Running, run } from './testing/start-runner.ts'

const registration = async (of: Running): Promise<Registration> => {
  const line = await until(() => of.said().find(line => line.startsWith('register ')))
  return JSON.parse(line.slice('register '.length)) as Registration
}

const words = (of: Running): string[] => of.said().map(line => line.split(' ')[0] ?? '')

afterEach(endRunners)

/** From here on a second signal is no echo of the first. */
const echoPastMs = 600

describe('portolan run', () => {
  it('registers the program when its port opens, and hands it its place', async () => {
    const of = run({ id: 'order-9' }, programCommand(), { SECRET: 'its own' })
    const { ports, metadata, ...rest } = await registration(of)
    expect(rest).toMatchObject({ service: 'order', id: 'order-9', addresses: ['127.0.0.1'], tags: ['blue'] })
    const port = ports[0]?.number
    const answer = await (await fetch(`http://127.0.0.1:${port}`)).json()
    expect(answer).toMatchObject({
      pid: Number(metadata.pid),
      env: {
        PORT: String(port),
        PORTOLAN_INSTANCE: 'order-9',
        PORTOLAN_SERVICE: 'order',
        PORTOLAN_TOKEN: 'ptl_given',
        PORTOLAN_URL: 'http://127.0.0.1:7400',
        SECRET: 'its own',
      },
    })
  })

  it('drains, then passes the signal on, then says that it is gone, and exits as the program did', async () => {
    const of = run({ drainMs: 50 }, programCommand())
    await registration(of)
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 15, null])
    expect(words(of)).toEqual(['register', 'drain', 'drained', 'departed'])
  })

  it('passes a second signal on without waiting for the drain', async () => {
    const of = run({ drainMs: 60_000, drainGraceMs: 60_000 }, programCommand())
    await registration(of)
    const from = performance.now()
    of.child.kill('SIGINT')
    await until(() => words(of).includes('drain') && performance.now() - from > echoPastMs)
    of.child.kill('SIGINT')
    expect(await of.exit).toEqual([128 + 2, null])
    expect(words(of)).toEqual(['register', 'drain', 'departed'])
  })

  it('takes a second signal that comes at once, as npx sends it, for the first one’s echo', async () => {
    const of = run({ drainMs: 50 }, programCommand())
    await registration(of)
    of.child.kill('SIGINT')
    of.child.kill('SIGINT')
    expect(await of.exit).toEqual([128 + 2, null])
    expect(words(of)).toEqual(['register', 'drain', 'drained', 'departed'])
  })

  it('kills what does not end after SIGTERM and its grace time, and what it has started', async () => {
    const of = run({ stopGraceMs: 100 }, programCommand('ignore-term', 'fork'))
    await registration(of)
    const child = Number(/child (\d+)/.exec(of.output())?.[1])
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 9, null])
    expect(of.output()).toContain('no\n')
    expect(hasEnded(readProcess(child))).toBe(true)
  })

  it('passes the exit code through and reports the exit at once', async () => {
    const quick = run({}, programCommand('exit=42'))
    expect(await quick.exit).toEqual([42, null])
    expect(quick.said()).toEqual([])

    const killed = run({}, programCommand())
    const { metadata } = await registration(killed)
    const at = performance.now()
    process.kill(Number(metadata.pid), 'SIGKILL')
    await until(() => words(killed).includes('departed'))
    expect(performance.now() - at).toBeLessThan(500)
    expect(await killed.exit).toEqual([128 + 9, null])
  })

  it('keeps the program when the registry refuses it or never answers, and ends all the same', async () => {
    const refused = run({ refusals: 1 }, programCommand())
    await registration(refused)
    refused.child.kill('SIGTERM')
    expect(await refused.exit).toEqual([128 + 15, null])

    const away = run({ away: true, drainGraceMs: 50 }, programCommand())
    await registration(away)
    away.child.kill('SIGTERM')
    expect(await away.exit).toEqual([128 + 15, null])
    expect(words(away)).toEqual(['register', 'drain', 'departed'])
  })

  it('stops and goes on together with the program', async () => {
    const of = run({}, programCommand('usr2'))
    const { metadata } = await registration(of)
    const pids = [of.child.pid ?? 0, Number(metadata.pid)]
    const areStopped = (): boolean => pids.every(pid => readProcess(pid)?.state === 'T')
    of.child.kill('SIGTSTP')
    await until(areStopped)
    of.child.kill('SIGCONT')
    await until(() => pids.every(pid => readProcess(pid)?.state !== 'T'))
    of.child.kill('SIGUSR2')
    await until(() => of.output() === 'usr2\n')
  })

  it('runs its checks beside it from its registration on, reports what they find, and ends them with it', async () => {
    const script =
      'test "$PORTOLAN_PORT" -gt 0 || exit 2; sleep 4711 & echo "portolan_metric queue 3"; exit 1'
    const hangs: ProgramCheck = {
      id: 'check-2',
      command: ['/bin/sh', '-c', 'sleep 4712 & wait'],
      intervalMs: 60_000,
      timeoutMs: 30_000,
    }
    const warns = { ...hangs, id: 'check', command: ['/bin/sh', '-c', script] }
    const of = run({ id: 'order-9', checks: [warns, hangs] }, programCommand())
    await registration(of)
    const line = await until(() => of.said().find(line => line.startsWith('report ')))
    expect(line).toMatch(/^report order-9 {"check":"check","status":"warning".*"metrics":{"queue":3}}$/)
    expect(of.said().find(line => line.startsWith('checks '))).toContain('"ttl"')
    await until(() => processesWith('sleep\x004712').length > 0)
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 15, null])
    await until(() => processesWith('4712').length === 0 && processesWith('4711').length === 0)
  })

  it('runs and ends a program whose registry is not there', async () => {
    const of = run({ session: 'http://127.0.0.1:1' }, programCommand('shout'))
    await until(() => of.output().includes('open'))
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 15, null])
  })

  it('registers the PORT that whoever runs the program has chosen', async () => {
    const free = await new Promise<number>(resolve => {
      const server = createServer().listen(0, () => {
        const { port } = server.address() as { port: number }
        server.close(() => resolve(port))
      })
    })
    const own = run({}, programCommand(), { PORT: String(free) })
    expect((await registration(own)).ports[0]?.number).toBe(free)
  })

  it('refuses what cannot be started and a port that is taken', async () => {
    const common = {
      service: { service: 'order' },
      url: 'http://127.0.0.1:7400',
      env: process.env,
      random: Math.random,
      log: pino({ level: 'silent' }),
      say: () => {},
      registrar: listeningRegistrar(),
    }
    await expect(runProgram({ ...common, command: ['/no/such/program'] })).rejects.toMatchObject({
      code: 'workload_failed',
    })
    const taken = createServer().listen(0)
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const refused = runProgram({ ...common, port, command: programCommand() })
    await expect(refused).rejects.toThrow(`port ${port} is in use`)
    taken.close()
    expect(process.listenerCount('SIGWINCH')).toBe(0)
  })
})
