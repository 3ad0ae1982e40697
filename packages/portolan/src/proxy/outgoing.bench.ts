/**
 * What one small write costs the process that makes it, by the form of the message: a latin1 string, a view of the
 * buffer that it was gathered in, or a copy of that. CPU time, user and system, since the kernel does most of it.
 * Run: node --import tsx packages/portolan/src/proxy/outgoing.bench.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'

const sink = `require('node:net').createServer(socket => socket.resume())
  .listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
const [rounds, writes] = [7, 20_000]

const reader = spawn(process.execPath, ['-e', sink], { stdio: ['ignore', 'pipe', 'inherit'] })
const [port] = await once(reader.stdout, 'data')
const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
await once(socket, 'connect')

const bytes = Buffer.allocUnsafeSlow(131_072).fill(97)
const forms = {
  string: (size: number) => socket.write(bytes.toString('latin1', 0, size), 'latin1'),
  view: (size: number) => socket.write(bytes.subarray(0, size)),
  copy: (size: number) => socket.write(Buffer.from(bytes.subarray(0, size))),
}

async function microseconds(write: (size: number) => boolean, size: number): Promise<number> {
  const before = process.cpuUsage()
  for (let count = 0; count < writes; count++) {
    if (!write(size)) await once(socket, 'drain')
    if (count % 64 === 0) await setImmediate()
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / writes
}

/** Interleaved, so that whatever else the machine does falls on all of them. */
for (const size of [100, 200, 400, 800, 1500, 3000]) {
  const taken = new Map(Object.keys(forms).map(form => [form, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const [form, write] of Object.entries(forms)) taken.get(form)?.push(await microseconds(write, size))
  }
  const shown = [...taken].map(([form, all]) => {
    const [least = 0, median = 0, most = 0] = [0, rounds >> 1, rounds - 1].map(
      at => all.sort((a, b) => a - b)[at],
    )
    return `${form} ${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`
  })
  process.stdout.write(`${String(size).padStart(5)} bytes, µs a write: ${shown.join(', ')}\n`)
}
socket.destroy()
reader.kill()
