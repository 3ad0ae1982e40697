import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Processes, root, until } from './processes.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

// What a user gets, without the conditions that make tests run from source.
const { NODE_OPTIONS: _, ...plainEnv } = process.env

function npm(cwd: string, ...args: string[]): string {
  const copy = process.env.npm_execpath
  const [command, all] = copy ? [process.execPath, [copy, ...args]] : ['npm', args]
  return execFileSync(command, all, {
    cwd,
    env: plainEnv,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

describe('the packed tarballs', () => {
  it('install into an empty folder, start, and serve the library', { timeout: 240_000 }, async () => {
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'tsconfig.build.json'],
      {
        cwd: root,
      },
    )
    // What README's `npx portolan` runs in a clone.
    const linked = execFileSync(join(root, 'node_modules/.bin/portolan'), ['--version'], { env: plainEnv })
    expect(linked.toString()).toMatch(/^\d+\.\d+\.\d+\n$/)

    const home = processes.directory()
    for (const name of ['core', 'client', 'portolan']) {
      npm(join(root, 'packages', name), 'pack', '--pack-destination', home)
    }
    const tarballs = readdirSync(home).filter(name => name.endsWith('.tgz'))
    expect(tarballs).toHaveLength(3)
    processes.file('package.json', '{"name":"user","private":true,"type":"module"}', home)
    npm(home, 'install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs.map(name => `./${name}`))

    const ports = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
    const [api, gateway, admin, dns, dnsAdmin] = ports
    const url = `http://127.0.0.1:${api}`
    processes.file(
      'portolan.yaml',
      `api: { listen: ["127.0.0.1:${api}"] }\ngateway: { listen: "127.0.0.1:${gateway}", admin: "127.0.0.1:${admin}" }\ndns: { listen: "127.0.0.1:${dns}", admin: "127.0.0.1:${dnsAdmin}" }\n`,
      home,
    )
    const server = spawn(join(home, 'node_modules/.bin/portolan'), ['up'], { cwd: home, env: plainEnv })
    let output = ''
    server.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
    server.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
    try {
      await until('the ready line', () => /^ready\b/m.test(output), 60_000)
      processes.file(
        'app.mjs',
        `import { createServer } from 'node:http'
import { connect } from '@portolan/client'
const server = createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1')
await new Promise(resolve => server.once('listening', resolve))
const portolan = await connect('${url}')
await portolan.register({ service: 'hello', port: server.address().port })
const response = await portolan.service('hello').fetch('/')
console.log(response.status, await response.text())
await portolan.close()
server.close()
server.closeAllConnections()
`,
        home,
      )
      const app = execFileSync(process.execPath, ['app.mjs'], { cwd: home, env: plainEnv, encoding: 'utf8' })
      expect(app).toBe('200 hello\n')
    } finally {
      const gone = once(server, 'exit')
      server.kill('SIGTERM')
      await gone
    }
  })
})
