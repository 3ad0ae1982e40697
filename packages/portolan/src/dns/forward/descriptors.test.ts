import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'
import { Opened } from '../../proxy/testing/harness.ts'
import { a, messageSaying } from './testing/answers.ts'
import { scriptedUpstream } from './testing/scripted-upstream.ts'

const opened = new Opened()
afterEach(() => opened.close())

const timeoutMs = 300
const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

/** Asks for the names that it is told, and says the code and how often it has logged; `-` and `+`: takes all descriptors, and lets go. */
const program = (port: number): string => `
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Registry } from 'prom-client'
import { openForwarder } from ${urlOf('./open-forwarder.ts')}
import { queryFor } from ${urlOf('./testing/queries.ts')}
import { realTimers } from ${urlOf('./timers.ts')}
let logged = 0
const forwarder = openForwarder({
  upstreams: [{ host: '127.0.0.1', port: ${port} }],
  timeoutMs: ${timeoutMs},
  cacheSize: 0,
  negativeTtl: 1,
  clock: { now: () => performance.now() },
  timers: realTimers,
  random: Math.random,
  log: { info() {}, warn() {}, error() { logged++ } },
  metrics: new Registry(),
})
const taken = []
createInterface({ input: process.stdin }).on('line', async line => {
  if (line === '+') for (const one of taken.splice(0)) closeSync(one)
  else if (line === '-') try { for (;;) taken.push(openSync('/dev/null')) } catch {}
  else {
    const replies = await Promise.all(line.split(' ').map(name => forwarder.ask(queryFor(name))))
    console.log(replies.map(reply => reply.readUInt16BE(2) & 15).join(' '))
    return
  }
  console.log(String(logged))
})
`

it('a shortage of descriptors is SERVFAIL for as long as it lasts, and ends nothing', async () => {
  const upstream = await scriptedUpstream(opened, message => {
    const question = message.subarray(12, message.indexOf(0, 12) + 5)
    return [messageSaying(message.readUInt16BE(0), question, { answers: [a('a.example')] })]
  })
  const node = [process.execPath, '--import', 'tsx', '--conditions=portolan-source', '--input-type=module']
  const child = spawn('prlimit', ['--nofile=256:256', ...node, '-e', program(upstream.address.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const turn = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`)
    return (await lines.next()).value ?? 'it has ended'
  }
  try {
    expect(await turn('a.example')).toBe('0')
    await turn('-')
    expect(await turn('b.example c.example d.example')).toBe('2 2 2')
    expect(await turn('b.example')).toBe('2')
    // What was armed for those questions would fire by now.
    await new Promise(resolve => setTimeout(resolve, 2 * timeoutMs))
    expect(await turn('+')).toBe('0')
    expect(await turn('b.example c.example')).toBe('0 0')
    expect(child.exitCode).toBeNull()
  } finally {
    child.kill('SIGKILL')
    await ended
  }
})
