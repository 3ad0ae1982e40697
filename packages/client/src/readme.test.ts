import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { startOrigin } from './testing/origin.ts'
import { instanceOf, ScriptedRegistry } from './testing/scripted-registry.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

test('the README’s examples run, from top to bottom', async () => {
  const registry = await new ScriptedRegistry().start()
  ends.push(() => registry.stop())
  const origin = await startOrigin()
  ends.push(() => origin.kill())
  registry.set('order', [instanceOf('order', 'order-1', origin.port)])

  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(match => match[1] ?? '')
  expect(examples.length).toBeGreaterThanOrEqual(6)
  const program = examples.join('\n').replace('http://127.0.0.1:7400', registry.url)
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=portolan-source', '--input-type=module', '--eval', program],
    { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const deadline = setTimeout(() => child.kill('SIGKILL'), 15_000)
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => output.push(chunk))
  const [code] = await once(child, 'close')
  clearTimeout(deadline)
  expect(Buffer.concat(output).toString()).toBe(`127.0.0.1 ${origin.port}\n[ 'order-1' ]\n`)
  expect(code).toBe(0)
  expect(origin.requests).toMatchObject([{ url: '/orders/1' }])
  expect(registry.of('deregister')).toMatchObject([
    { service: 'shop' },
    { service: 'cart' },
    { service: 'mail' },
  ])
})
