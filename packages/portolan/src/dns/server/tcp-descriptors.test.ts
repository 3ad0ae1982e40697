import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, it, vi } from 'vitest'
import { numbered, type TcpPeer, tcpPeer } from './testing/tcp-peer.ts'

/** Answers, and takes all descriptors or lets go of them by turns, with every line that it is told. */
const program = `
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { openTcp } from ${JSON.stringify(new URL('./tcp.ts', import.meta.url).href)}
import { TcpCounts } from ${JSON.stringify(new URL('./tcp/metrics.ts', import.meta.url).href)}
const counts = new TcpCounts()
const log = { warn: () => {}, error: () => {} }
const server = await openTcp({ listen: { host: '127.0.0.1', port: 0 }, handle: message => message, log, counts })
const taken = []
createInterface({ input: process.stdin }).on('line', () => {
  if (taken.length > 0) for (const one of taken.splice(0)) closeSync(one)
  else try { for (;;) taken.push(openSync('/dev/null')) } catch {}
  console.log(JSON.stringify(counts.refused))
})
console.log(String(server.port))
`

it('is not ended by a shortage of descriptors', async () => {
  const node = [process.execPath, '--import', 'tsx', '--conditions=portolan-source', '--input-type=module']
  const child = spawn('prlimit', ['--nofile=256:256', ...node, '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const told = async (): Promise<string> => (await lines.next()).value ?? ''
  const turn = (): Promise<string> => {
    child.stdin.write('\n')
    return told()
  }
  try {
    const port = Number(await told())
    const answeredOn = async (peer: TcpPeer): Promise<void> => {
      const before = peer.answers.length
      peer.ask(numbered(1))
      await vi.waitFor(() => expect(peer.answers).toHaveLength(before + 1), { timeout: 10_000 })
    }
    using early = await tcpPeer(port)
    await answeredOn(early)
    await turn()
    // The kernel lets them in; they are not left waiting there.
    const late = await Promise.all([1, 2, 3].map(() => tcpPeer(port)))
    await vi.waitFor(() => expect(late.every(({ isClosed }) => isClosed)).toBe(true), { timeout: 10_000 })
    await answeredOn(early)
    await turn()
    using next = await tcpPeer(port)
    await answeredOn(next)
    await answeredOn(early)
    expect(child.exitCode).toBeNull()
  } finally {
    child.kill('SIGKILL')
    await ended
  }
})
