import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ScriptCheck } from '@portolan/core'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding, Probe } from './probe.ts'
import { scriptProbe } from './script.ts'
import { look, openScripts, probedInstance, processesWith, scriptCheck, zombies } from './testing/scripts.ts'

const patient = { timeout: 10_000, interval: 10 }
const scripts = openScripts()
afterAll(scripts.remove)

const own = { ...process.env, TZ: 'UTC', PORTOLAN_TOKEN: 'ptl_secret', SECRET: 'ours' }
let probe: Probe<ScriptCheck>
beforeEach(() => {
  probe = scriptProbe({ env: own })
})
afterEach(() => probe.close())

const sh = (text: string): Promise<Finding> => look(probe, '/bin/sh', '-c', text)

/** Starts a script, waits until it has made `sign` true, and cancels it. */
async function cancelled(sign: () => boolean, ...command: [string, ...string[]]): Promise<void> {
  let settled = false
  const running = probe.start({ instance: probedInstance, check: scriptCheck(command), fresh: false }, () => {
    settled = true
  })
  await expect.poll(sign, patient).toBe(true)
  running.cancel()
  running.cancel()
  await new Promise(resolve => setTimeout(resolve, 30))
  expect(settled).toBe(false)
}

describe('a script', () => {
  it('is passing, warning or critical by its exit status', async () => {
    expect(await sh('exit 0')).toMatchObject({ status: 'passing', presence: 'silent', reason: '' })
    expect(await sh('echo slow; exit 1')).toMatchObject({
      status: 'warning',
      reason: '/bin/sh ended with status 1: slow',
      output: 'slow',
    })
    expect(await sh('echo no route >&2; exit 2')).toMatchObject({
      status: 'critical',
      presence: 'silent',
      reason: '/bin/sh ended with status 2: no route',
    })
    expect(await sh('exit 255')).toMatchObject({
      status: 'critical',
      reason: '/bin/sh ended with status 255',
    })
    expect(await sh('kill -SEGV $$')).toMatchObject({
      status: 'critical',
      reason: '/bin/sh was ended by SIGSEGV',
    })
  })

  it('gets its arguments as they are, through no shell', async () => {
    const path = scripts.write('#!/bin/sh\nprintf "%s|" "$@"\n')
    const { output } = await look(probe, path, '$HOME', 'a b', ';', '`id`')
    expect(output).toBe('$HOME|a b|;|`id`|')
  })

  it('sees the documented environment and nothing else', async () => {
    const { output = '' } = await look(probe, '/usr/bin/env')
    const seen = Object.fromEntries(output.split('\n').map(line => line.split(/=(.*)/s).slice(0, 2)))
    const { PORTOLAN_RUN: mark, ...rest } = seen
    expect(mark).toMatch(/^\d+\.\d+\.\d+\.[0-9a-f]{8}-1$/)
    const passed = ['PATH', 'HOME', 'LANG', 'TZ'].flatMap(name => {
      const value = own[name as keyof typeof own]
      return value === undefined ? [] : [[name, value]]
    })
    expect(rest).toEqual({
      ...Object.fromEntries(passed),
      PORTOLAN_SERVICE: 'order',
      PORTOLAN_NAMESPACE: 'default',
      PORTOLAN_INSTANCE: 'order-1',
      PORTOLAN_ADDRESS: '127.0.0.1',
      PORTOLAN_PORT: '8080',
      PORTOLAN_CHECK: 'db',
    })
  })

  it('has no input, no terminal, and a group and folder of its own', async () => {
    const { output } = await sh(
      'cat; cd -P . && pwd; read a b c d group session rest < /proc/$$/stat; echo $(($$ - group)) $(($$ - session))',
    )
    expect(output).toBe('/\n0 0')
  })

  it('reports numbers', async () => {
    const { metrics, reason } = await sh(
      'echo "portolan_metric replication_lag 1.5"; echo portolan_metric queue 7; echo portolan_metric bad x; echo portolan_metric queue 8; exit 1',
    )
    expect(metrics).toEqual({ replication_lag: 1.5, queue: 8 })
    expect(reason).toBe('/bin/sh ended with status 1')
    expect(await sh('echo fine')).not.toHaveProperty('metrics')
  })

  it('may print megabytes: the last 4 KiB are kept', async () => {
    const { status, output = '' } = await sh('head -c 8000000 /dev/zero | tr "\\0" x; echo; echo the end')
    expect(status).toBe('passing')
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(4096)
    expect(output).toMatch(/^x{4000,}\nthe end$/)
  })

  it('says in one line why it could not be started, and how to mend that', async () => {
    const cases: [string, RegExp][] = [
      ['/no/such/check.sh', /^\/no\/such\/check.sh is not there: check the path$/],
      [scripts.folder, /is a folder: name the program itself$/],
      [`${scripts.write('#!/bin/sh\n')}/x`, /is not there: check the path$/],
      [scripts.write('#!/bin/sh\n', 0o644), /is not executable: chmod \+x$/],
      [scripts.write('#!/no/such/python\n'), /wants the interpreter \/no\/such\/python, which is not there/],
      [scripts.write('#!/bin/sh\r\nexit 0\r\n'), /has Windows line ends/],
    ]
    for (const [path, reason] of cases) {
      const finding = await look(probe, path)
      expect(finding).toMatchObject({ status: 'critical', presence: 'silent' })
      expect(finding.reason).toMatch(reason)
      expect(finding.reason.length).toBeLessThanOrEqual(256)
    }
  })
})

describe('what a script leaves behind', () => {
  it('is ended with it: children in the background, which do not hold up the finding', async () => {
    const began = performance.now()
    expect(await sh('sleep 1234567 & exit 0')).toMatchObject({ status: 'passing' })
    expect(performance.now() - began).toBeLessThan(5000)
    await expect.poll(() => processesWith('1234567'), patient).toEqual([])
  })

  it('is ended too where it has left the group and holds the output open', async () => {
    expect(await sh('setsid sleep 1234568 & exit 2')).toMatchObject({ status: 'critical' })
    await expect.poll(() => processesWith('1234568'), patient).toEqual([])
  })

  it('is ended on cancel: the script, its children, and those that left its group', async () => {
    const text =
      'sleep 1234569 & setsid sleep 1234569 & env -i setsid sh -c "sleep 1234569; :" & (setsid -f sleep 1234569 >/dev/null 2>&1 &) ; trap "" TERM INT; sleep 1234569'
    await cancelled(() => processesWith('sleep\x001234569').length >= 4, '/bin/sh', '-c', text)
    await expect.poll(() => processesWith('1234569'), patient).toEqual([])
    expect(zombies()).toEqual([])
  })

  it('is ended when the probe is closed, and nothing begins after that', async () => {
    const probes = Array.from({ length: 20 }, () =>
      look(probe, '/bin/sh', '-c', 'setsid sleep 1234570 & sleep 1234570'),
    )
    await expect.poll(() => processesWith('sleep\x001234570').length, patient).toBeGreaterThan(8)
    await probe.close()
    expect(processesWith('1234570')).toEqual([])
    void Promise.race(probes)
    probe.start(
      { instance: probedInstance, check: scriptCheck(['/bin/sleep', '1234570']), fresh: false },
      () => {},
    )
    expect(processesWith('1234570')).toEqual([])
  })
})

describe('scripts side by side', () => {
  it('run a few at a time; the others wait, and say so', async () => {
    await probe.close()
    probe = scriptProbe({ env: own, concurrency: 2 })
    const findings: Finding[] = []
    const runnings = Array.from({ length: 5 }, () =>
      probe.start(
        { instance: probedInstance, check: scriptCheck(['/bin/sleep', '1234571']), fresh: false },
        finding => findings.push(finding),
      ),
    )
    await expect
      .poll(() => runnings.map(({ waiting }) => waiting), patient)
      .toEqual([false, false, true, true, true])
    expect(runnings[2]?.overdue?.('1s')).toBe('waiting for other scripts to end for 1s')
    expect(runnings[0]?.overdue?.('1s')).toBe('still running after 1s')
    await expect.poll(() => processesWith('1234571').length, patient).toBe(2)
    runnings[2]?.cancel()
    runnings[0]?.cancel()
    await expect.poll(() => runnings[3]?.waiting, patient).toBe(false)
    expect(runnings[4]?.waiting).toBe(true)
    await probe.close()
    expect(findings).toEqual([])
    expect(processesWith('1234571')).toEqual([])
  })
})

describe('when our own machine falls short', () => {
  it('has no vote, and says what is missing', async () => {
    const program = fileURLToPath(new URL('./testing/without-files.ts', import.meta.url))
    const node = [process.execPath, '--import', 'tsx', '--conditions=portolan-source', program]
    const { stdout } = await promisify(execFile)('prlimit', ['--nofile=1024:1024', ...node])
    const [without, again] = JSON.parse(stdout) as Finding[]
    expect(without).toMatchObject({ status: 'critical', inconclusive: true })
    expect(without?.reason).toMatch(/too many open files here \(EMFILE\); raise the limit/)
    expect(again).toMatchObject({ status: 'passing' })
  })
})
