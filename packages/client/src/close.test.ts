import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { eventually } from './testing/eventually.ts'
import { type Origin, startOrigin } from './testing/origin.ts'
import { instanceOf, ScriptedRegistry } from './testing/scripted-registry.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Runs a program that must end by itself; its unhandled rejections and open handles show in what this returns. */
async function run(program: string, url: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=portolan-source', '--input-type=module', '--eval', program],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, PORTOLAN_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const output: Buffer[] = []
  child.stdout.on('data', chunk => output.push(chunk))
  child.stderr.on('data', chunk => output.push(chunk))
  const deadline = setTimeout(() => child.kill('SIGKILL'), 15_000)
  const [code] = await once(child, 'close')
  clearTimeout(deadline)
  return { code, output: Buffer.concat(output).toString() }
}

async function start(): Promise<{ registry: ScriptedRegistry; origin: Origin }> {
  const registry = await new ScriptedRegistry().start()
  ends.push(() => registry.stop())
  const origin = await startOrigin()
  ends.push(() => origin.kill())
  registry.set('order', [instanceOf('order', 'order-1', origin.port)])
  return { registry, origin }
}

test('after close nothing keeps the process alive', async () => {
  const { registry } = await start()
  const program = `
    import { connect } from './index.ts'
    const portolan = await connect()
    await portolan.register({ service: 'shop', port: 8080 })
    const response = await portolan.service('order').fetch('/')
    process.stdout.write(String(response.status))
    await portolan.close({ graceMs: 100 })
  `
  expect(await run(program, registry.url)).toEqual({ code: 0, output: '200' })
  expect(registry.of('deregister')).toHaveLength(1)
})

test('a process that ends without it says goodbye all the same, unless it is killed', async () => {
  const { registry } = await start()
  const program = (end: string) => `
    import { connect } from './index.ts'
    const portolan = await connect()
    await portolan.service('order').fetch('/')
    ${end}
  `
  const crash = 'setTimeout(() => { throw new Error("mine") })'
  for (const end of ['process.exit(0)', crash, 'process.kill(process.pid, "SIGKILL")']) {
    await run(program(end), registry.url)
    await eventually('the end of the connection', () => registry.peers.at(-1)?.closed !== undefined)
  }
  expect(registry.peers.map(({ closed }) => closed)).toEqual([1000, 1000, 1006])
})

test('nor after a close while the registry is gone', async () => {
  const { registry } = await start()
  await registry.stop()
  const program = `
    import { connect } from './index.ts'
    const portolan = await connect(undefined, { lazy: true })
    const registering = portolan.register({ service: 'shop', port: 8080 }).catch(fault => fault.code)
    const fetching = portolan.service('order').fetch('/').catch(fault => fault.code)
    await new Promise(resolve => setTimeout(resolve, 100))
    await portolan.close({ graceMs: 100 })
    process.stdout.write(\`\${await fetching} \${await registering}\`)
  `
  expect(await run(program, registry.url)).toEqual({
    code: 0,
    output: 'no_instance_available session_closed',
  })
})

test('a failed connect leaves nothing behind', async () => {
  const { registry } = await start()
  await registry.stop()
  const program = `
    import { connect } from './index.ts'
    await connect(undefined, { timeoutMs: 200 }).catch(fault => process.stdout.write(fault.code))
  `
  expect(await run(program, registry.url)).toEqual({ code: 0, output: 'registry_unreachable' })
})
