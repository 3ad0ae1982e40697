import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Processes, until } from './processes.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

/** Answers `/` after a second; told to end, it takes its time, and says so in a file; `stubborn` never ends by itself. */
const program = `
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
const server = createServer((request, response) => {
  appendFileSync(process.env.SAYS, request.url + ' ')
  setTimeout(() => response.end('whole'), 1000)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => {
  appendFileSync(process.env.SAYS, 'told ')
  if (process.env.STUBBORN === '') setTimeout(() => { appendFileSync(process.env.SAYS, 'ended'); process.exit(0) }, 300)
})
`

async function open({ stubborn = false } = {}) {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const file = processes.file('slow.mjs', program, directory)
  const says = join(directory, 'says')
  const config = processes.file(
    'portolan.yaml',
    JSON.stringify({
      api: { listen: [`127.0.0.1:${api}`] },
      gateway: {
        listen: `127.0.0.1:${gateway}`,
        admin: `127.0.0.1:${admin}`,
        routes: [{ match: { path: '/' }, service: 'slow' }],
      },
      services: {
        slow: {
          run: { command: ['node', file], env: { SAYS: says, STUBBORN: stubborn ? 'yes' : '' } },
        },
      },
    }),
    directory,
  )
  const up = await processes.up(['--config', config, '--data', join(directory, 'data')])
  return {
    up,
    says: () => (existsSync(says) ? readFileSync(says, 'utf8') : ''),
    ask: () => fetch(`http://127.0.0.1:${gateway}/work`),
  }
}

describe('portolan up, told to end', () => {
  it('by one signal, lets requests and programs finish', async () => {
    const { up, says, ask } = await open()
    const answer = ask()
    await until('the request', () => says().includes('/work'))
    const ended = up.end('SIGTERM')
    expect(await (await answer).text()).toBe('whole')
    expect(await ended).toBe(0)
    expect(says()).toMatch(/told ended$/)
  })

  it('by one that npx and the terminal both send, does the same', async () => {
    const { up, says, ask } = await open()
    const answer = ask()
    await until('the request', () => says().includes('/work'))
    up.child.kill('SIGINT')
    const ended = up.end('SIGINT')
    expect(await (await answer).text()).toBe('whole')
    expect(await ended).toBe(0)
    expect(says()).toMatch(/told ended$/)
  })

  it('again, ends all that is left at once', async () => {
    const { up, says } = await open({ stubborn: true })
    const from = performance.now()
    up.child.kill('SIGINT')
    await until('the program being told', () => says().includes('told'))
    await until('the time of an echo to be over', () => performance.now() - from > 600)
    expect(await up.end('SIGINT')).toBe(0)
    // Its grace would be 10 s.
    expect(performance.now() - from).toBeLessThan(8000)
  })
})
