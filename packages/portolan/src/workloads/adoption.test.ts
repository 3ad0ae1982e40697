import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { judge, type ProcessTable } from './adoption.ts'
import type { WorkloadDefinition } from './definition.ts'
import type { WorkloadRecord } from './ledger.ts'
import { hasEnded, type ProcessEntry, readProcess } from './proc-table.ts'
import type { CopyState } from './supervised.ts'
import { fileLedger } from './testing/file-ledger.ts'
import { openQuay, programCommand, service, until } from './testing/quay.ts'

describe('what becomes of a record', () => {
  const entry = (pid: number, startTicks: number, group = pid): ProcessEntry => ({
    pid,
    startTicks,
    group,
    state: 'S',
  })
  const table = (entries: ProcessEntry[], marked: ProcessEntry[] = entries): ProcessTable => ({
    bootId: 'boot',
    running: pid => entries.find(entry => entry.pid === pid),
    ofLaunch: launch => (launch === 'launch' ? marked : []),
  })
  const record = (more: Partial<WorkloadRecord> = {}): WorkloadRecord => ({
    key: 'default/order/order-1',
    launch: 'launch',
    bootId: 'boot',
    fingerprint: 'same',
    port: 20_000,
    process: { pid: 40, startTicks: 7 },
    ...more,
  })
  const process = { pid: 40, startTicks: 7 }

  it('is adopted when it runs as it is wanted, ended when it does not', () => {
    expect(judge(record(), 'same', table([entry(40, 7)]))).toEqual({ kind: 'adopt', process })
    expect(judge(record(), 'other', table([entry(40, 7)]))).toEqual({ kind: 'end', process })
    expect(judge(record(), undefined, table([entry(40, 7)]))).toEqual({ kind: 'end', process })
  })

  it('is gone when the pid is somebody else’s, or of another boot', () => {
    expect(judge(record(), 'same', table([entry(40, 8)], []))).toEqual({ kind: 'gone' })
    expect(judge(record({ bootId: 'earlier' }), 'same', table([entry(40, 7)]))).toEqual({ kind: 'gone' })
    expect(judge(record(), 'same', table([]))).toEqual({ kind: 'gone' })
  })

  it('is found by its mark when the supervisor was killed before it wrote the pid down', () => {
    const unwritten = record({ process: undefined })
    const found = table([entry(41, 8, 40), entry(40, 7)])
    expect(judge(unwritten, 'same', found)).toEqual({ kind: 'adopt', process })
    expect(judge(unwritten, 'same', table([]))).toEqual({ kind: 'gone' })
  })

  it('is ended when only what it has started is left', () => {
    expect(judge(record(), 'same', table([entry(41, 8, 40)]))).toEqual({ kind: 'end', process })
  })
})

const supervisor = fileURLToPath(new URL('./testing/supervisor.ts', import.meta.url))
const source = ['--import', 'tsx', '--conditions=portolan-source']
const cleanUp: (() => unknown)[] = []

afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end()
})

/** Lets a supervisor start these and kills it. @returns what was running, and still is */
async function orphans(definitions: readonly WorkloadDefinition[]) {
  const directory = mkdtempSync(join(tmpdir(), 'portolan-adoption-'))
  cleanUp.push(() => rmSync(directory, { recursive: true, force: true }))
  const arguments_ = [...source, supervisor, directory, JSON.stringify(definitions)]
  const parent = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp.push(() => parent.kill('SIGKILL'))
  const states = JSON.parse(await firstLine(parent)) as CopyState[]
  const gone = once(parent, 'exit')
  parent.kill('SIGKILL')
  await gone
  const ledger = fileLedger(join(directory, 'ledger.json'))
  const pid = (id: string): number => states.find(state => state.id === id)?.pid ?? 0
  cleanUp.push(() => {
    for (const { pid = 0 } of states) if (readProcess(pid)?.group === pid) process.kill(-pid, 'SIGKILL')
  })
  return { directory, ledger, states, pid }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) return line
  throw new Error('the supervisor ended without a word')
}

async function supervise(
  definitions: readonly WorkloadDefinition[],
  of: Awaited<ReturnType<typeof orphans>>,
) {
  const quay = await openQuay(definitions, { directory: of.directory, ledger: of.ledger })
  cleanUp.push(() => quay.leave())
  return quay
}

describe('after the supervisor was killed', () => {
  it('what is wanted is adopted, what is not is ended, what is wanted otherwise is ended and started anew', async () => {
    const gateway: WorkloadDefinition = { name: 'gateway', command: programCommand('mute') }
    const before = await orphans([
      service('order', { replicas: 2 }),
      service('cart'),
      service('payment', { command: programCommand('fork') }),
      gateway,
    ])
    const quay = await supervise(
      [service('order'), service('cart', { env: { COLOUR: 'blue' } }), gateway],
      before,
    )
    const running = (id: string) =>
      until(() => (quay.state(id)?.phase === 'running' ? quay.state(id) : undefined))

    const order = await running('order-1')
    const was = before.states.find(({ id }) => id === 'order-1')
    expect(order).toMatchObject({ pid: was?.pid, port: was?.port, starts: 0 })
    expect(await running('gateway')).toMatchObject({ pid: before.pid('gateway'), starts: 0 })

    const cart = await running('cart-1')
    expect(cart.pid).not.toBe(before.pid('cart-1'))
    expect(hasEnded(readProcess(before.pid('cart-1')))).toBe(true)
    await until(() => hasEnded(readProcess(before.pid('order-2'))))
    await until(() => hasEnded(readProcess(before.pid('payment-1'))))
    const departed = quay.said.filter(({ what }) => what === 'departed').map(({ id }) => id)
    expect(departed.sort()).toEqual(['cart-1', 'order-2', 'payment-1'])
    expect(
      quay.said
        .filter(({ what }) => what === 'register')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['cart-1', 'order-1'])

    process.kill(order.pid ?? 0, 'SIGKILL')
    const next = await until(() => (quay.state('order-1')?.starts === 1 ? running('order-1') : undefined))
    expect(next.port).toBe(order.port)
    await until(async () => (await quay.ledger.load()).length === 3)
  })

  it('one that closes, having adopted, leaves nothing that keeps its process alive', async () => {
    const definitions = [service('order'), service('cart', { command: programCommand('fork') })]
    const before = await orphans(definitions)
    const next = spawn(
      process.execPath,
      [...source, supervisor, before.directory, JSON.stringify([...definitions, service('stock')]), 'close'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    cleanUp.push(() => next.kill('SIGKILL'))
    const ended = once(next, 'exit')
    const states = JSON.parse(await firstLine(next)) as CopyState[]
    expect(states.map(({ id, starts }) => `${id} ${starts}`)).toEqual(['order-1 0', 'cart-1 0', 'stock-1 1'])
    expect(await ended).toEqual([0, null])
    for (const { pid = 0 } of states) expect(hasEnded(readProcess(pid))).toBe(true)
    expect(await before.ledger.load()).toEqual([])
  })

  it('an adopted program goes on writing, and is ended by close', async () => {
    const before = await orphans([
      service('order', { command: programCommand('ignore-term'), stopGraceMs: 100 }),
    ])
    const quay = await supervise(
      [service('order', { command: programCommand('ignore-term'), stopGraceMs: 100 })],
      before,
    )
    process.kill(before.pid('order-1'), 'SIGTERM')
    await until(() => quay.output('order-1') === 'no\n')
    await quay.workloads.close()
    expect(hasEnded(readProcess(before.pid('order-1')))).toBe(true)
    expect(await quay.ledger.load()).toEqual([])
  })

  it('a process whose pid was not written down is found, a stranger with a recorded pid is left alone', async () => {
    const before = await orphans([service('order')])
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    cleanUp.push(() => stranger.kill('SIGKILL'))
    const [record] = await before.ledger.load()
    if (record === undefined) throw new Error('nothing was recorded')
    await before.ledger.save({ ...record, process: undefined })
    const reused = { pid: stranger.pid ?? 0, startTicks: 1 }
    await before.ledger.save({ ...record, key: 'default/cart/cart-1', launch: 'another', process: reused })
    await before.ledger.save({ ...record, key: 'default/gone/gone-1', launch: 'a third', process: reused })

    const quay = await supervise([service('order'), service('cart')], before)
    await until(() => quay.workloads.states().every(({ phase }) => phase === 'running'))
    expect(quay.state('order-1')).toMatchObject({ pid: before.pid('order-1'), starts: 0 })
    expect(quay.state('cart-1')).toMatchObject({ starts: 1 })
    await quay.workloads.close()
    expect(hasEnded(readProcess(stranger.pid ?? 0))).toBe(false)
  })
})
