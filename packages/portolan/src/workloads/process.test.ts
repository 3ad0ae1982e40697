import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../store/memory.ts'
import { inheritedEnvironment, portolanEnvironment } from './environment.ts'
import { storeLedger } from './ledger.ts'
import { openOutputFile } from './output.ts'
import { hasEnded, parseStat, readProcess, requireLinux, stillRuns } from './proc-table.ts'
import { adoptProgram, signalGroup, startProgram } from './process.ts'

describe('the process table', () => {
  it('reads a line whatever the program calls itself', () => {
    const rest = 'S 1 40 40 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2'
    const entry = { pid: 41, state: 'S', group: 40, startTicks: 987_654 }
    expect(parseStat(`41 (sh) ${rest}`)).toEqual(entry)
    expect(parseStat(`41 (a) b) (S 1 2) ${rest}`)).toEqual(entry)
    expect(parseStat('nothing')).toBeUndefined()
  })

  it('knows a process by pid and start time', () => {
    const self = readProcess(process.pid)
    expect(stillRuns(process.pid, self?.startTicks ?? 0)).toBe(true)
    expect(stillRuns(process.pid, 1)).toBe(false)
  })

  it('is Linux’s', () => {
    expect(() => requireLinux('darwin')).toThrow('Linux only, this is darwin')
  })
})

describe('a process', () => {
  it('is not touched by a signal to the one that had its pid before', async () => {
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    const pid = stranger.pid ?? 0
    const late = adoptProgram(pid, 1)
    late.signal('SIGKILL')
    expect(await late.exit).toEqual({ code: null, signal: null })
    expect(hasEnded(readProcess(pid))).toBe(false)
    const adopted = adoptProgram(pid, readProcess(pid)?.startTicks ?? 0)
    adopted.signal('SIGKILL')
    await adopted.exit
    expect(hasEnded(readProcess(pid))).toBe(true)
  })

  it('never is every process at once', () => {
    expect(() => signalGroup(1, 'SIGKILL')).not.toThrow()
    expect(() => signalGroup(0, 'SIGKILL')).not.toThrow()
  })

  it('that cannot be started is an error that says why', async () => {
    const start = { env: { PATH: process.env.PATH }, stdio: 'ignore' } as const
    await expect(startProgram({ ...start, command: ['no-such-program'] })).rejects.toThrow('is not there')
    await expect(startProgram({ ...start, command: [fileURLToPath(import.meta.url)] })).rejects.toThrow(
      'may not be executed',
    )
  })
})

describe('the environment', () => {
  it('passes on what programs need to run, and no more', () => {
    const own = {
      PATH: '/bin',
      LC_ALL: 'C',
      NODE_ENV: 'x',
      NODE_CHANNEL_FD: '3',
      AWS_SECRET_ACCESS_KEY: 's',
      PORT: '1',
    }
    expect(inheritedEnvironment(own)).toEqual({ PATH: '/bin', LC_ALL: 'C', NODE_ENV: 'x' })
    expect(portolanEnvironment({ url: 'u' })).toEqual({ PORTOLAN_URL: 'u' })
  })
})

describe('an output file', () => {
  it('gives the last lines of the last process, and is cut', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portolan-output-'))
    const path = join(folder, 'logs', 'order-1.log')
    const output = openOutputFile(path, 100)
    expect(await output.tail()).toBe('')
    writeFileSync(path, 'earlier\n')
    const sink = output.attach()
    expect(await output.tail()).toBe('')
    writeSync(sink.descriptor, 'one\ntwo\nthree\n')
    expect(await output.tail(2)).toBe('two\nthree')
    writeSync(sink.descriptor, 'x'.repeat(150))
    await output.bound()
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('x'.repeat(100))
    writeSync(sink.descriptor, 'anew\n')
    expect(readFileSync(path, 'utf8')).toBe('anew\n')
    expect(await output.tail()).toBe('anew')
    sink.close()
    rmSync(folder, { recursive: true })
    expect(await output.tail()).toBe('')
  })
})

describe('the ledger over a store', () => {
  it('keeps records, forgets them, and passes over what it cannot read', async () => {
    const store = openMemoryStore()
    const ledger = storeLedger(store)
    const record = {
      key: 'default/order/order-1',
      launch: 'l',
      bootId: 'b',
      fingerprint: 'f',
      port: 20_000,
      process: { pid: 40, startTicks: 7 },
    }
    const bare = { ...record, key: 'system/gateway', port: undefined, process: undefined }
    await ledger.save(record)
    await ledger.save(bare)
    await store.commit({
      put: [
        { key: 'workloads/x', value: '{' },
        { key: 'workloads/y', value: '{"v":2}' },
      ],
    })
    expect(await ledger.load()).toEqual([record, bare])
    await ledger.forget(record.key)
    await ledger.forget('never there')
    expect(await ledger.load()).toEqual([bare])
    await store.close()
  })
})
