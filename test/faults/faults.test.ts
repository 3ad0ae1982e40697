import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ownerName } from './alive.ts'
import { Faults } from './faults.ts'
import { monotonicMs, sleep } from './monotonic.ts'
import { script } from './program.ts'
import { kill, stopFor } from './signals.ts'

let faults = new Faults()
afterEach(async () => {
  await faults.undo()
  faults = new Faults()
})

async function instance(...args: string[]) {
  const program = faults.start(script('instance'), ['-', 'echo', 'i-1', '127.0.0.1', ...args])
  const port = await program.line(line => Number(/^ready i-1 \S+ (\d+)/.exec(line)?.[1]) || undefined)
  return { program, url: `http://127.0.0.1:${port}/`, port }
}

const stateOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = monotonicMs()
  await work()
  return monotonicMs() - from
}

describe('an instance under test', () => {
  it('pauses, fails, is slow and hangs as it is told, and answers again', async () => {
    const { program, url } = await instance()
    const get = async (): Promise<number> => {
      const response = await fetch(url)
      await response.text()
      return response.status
    }
    expect(await get()).toBe(200)

    const at = await program.ask<number>('pause', 300)
    await get()
    expect(monotonicMs() - at).toBeGreaterThanOrEqual(300)

    await program.ask('fail', 2)
    expect([await get(), await get(), await get()]).toEqual([503, 503, 200])

    await program.ask('serve', 10)
    await program.ask('slow', 10)
    expect(await timed(get)).toBeGreaterThanOrEqual(99)
    await program.ask('slow', 1)

    await program.ask('hang', true)
    await expect(fetch(url, { signal: AbortSignal.timeout(200) })).rejects.toThrow()
    await program.ask('hang', false)
    expect(await get()).toBe(200)
  })

  it('is stopped for a while, and let go also when the test forgets to', async () => {
    const { program, url } = await instance()
    const paused = stopFor(program.pid, 200)
    await expect.poll(() => stateOf(program.pid), { interval: 5 }).toBe('T')
    expect(await timed(() => fetch(url))).toBeGreaterThan(100)
    await paused
    const stopped = faults.stop(program.pid)
    await expect.poll(() => stateOf(program.pid)).toBe('T')
    stopped.resume()
    await expect.poll(() => stateOf(program.pid)).not.toBe('T')
    faults.stop(program.pid)
  })

  it('is killed, and the moment is known', async () => {
    const { program, url } = await instance()
    const before = monotonicMs()
    const at = kill(program.pid)
    expect(at).toBeGreaterThanOrEqual(before)
    await program.end()
    await expect(fetch(url)).rejects.toThrow()
  })
})

describe('what an injector leaves behind that is killed itself', () => {
  it('is let go by the next one', async () => {
    const { program } = await instance()
    const file = new URL('./programs/stopper.ts', import.meta.url).pathname
    const stopper = faults.start(file, [String(program.pid)])
    await stopper.line(line => (line === 'stopped' ? true : undefined))
    await expect.poll(() => stateOf(program.pid)).toBe('T')
    await stopper.end('SIGKILL')
    new Faults()
    await expect.poll(() => stateOf(program.pid)).not.toBe('T')
  })

  it('is told from what a living one holds', async () => {
    const { program } = await instance()
    faults.stop(program.pid)
    new Faults()
    await sleep(50)
    expect(stateOf(program.pid)).toBe('T')
    expect(ownerName()).toMatch(/^\d+-\d+$/)
  })
})

describe('a relay', () => {
  it('delays, and swallows', async () => {
    const server = createServer(socket => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    faults.later(() => new Promise(resolve => server.close(resolve)))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const relay = await faults.relay({ host: '127.0.0.1', port: address.port })
    const socket: Socket = connect(relay.port, '127.0.0.1')
    faults.later(() => socket.destroy())
    const echo = (): Promise<number> =>
      timed(async () => {
        socket.write('x')
        await once(socket, 'data')
      })
    await echo()
    relay.delay(60)
    // Twice 60; the event loop's clock has whole milliseconds, and a timer may be early by one of them, each way.
    expect(await echo()).toBeGreaterThanOrEqual(118)
    relay.swallow(true)
    expect(await Promise.race([echo(), sleep(300).then(() => 'nothing')])).toBe('nothing')
  })
})

describe('a half-open port', () => {
  it('accepts and never answers', async () => {
    const { port } = await faults.halfOpen('accepts')
    await expect(fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(300) })).rejects.toThrow(
      /timeout/,
    )
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  })

  it('listens and never accepts', async () => {
    const { port } = await faults.halfOpen('listens')
    const socket = connect(port, '127.0.0.1')
    const connected = once(socket, 'connect').then(() => 'connected')
    expect(await Promise.race([connected, sleep(400).then(() => 'nothing')])).toBe('nothing')
    socket.destroy()
    connected.catch(() => {})
  })
})
