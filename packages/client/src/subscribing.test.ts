import { afterEach, expect, test } from 'vitest'
import { resolverOver } from './open-resolver.ts'
import { dialWebSocket } from './session/websocket.ts'
import { eventually } from './testing/eventually.ts'
import { localRuntime } from './testing/local-runtime.ts'
import { ScriptedRegistry } from './testing/scripted-registry.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

test('a thousand services are asked for some at a time, none twice, and none that nobody wants any more', async () => {
  const registry = await new ScriptedRegistry({ pingMs: 50, announcedMs: 4000 }).start()
  ends.push(() => registry.stop())
  const held: (() => void)[] = []
  let isHolding = true
  registry.script((request, peer) => {
    if (request.type !== 'watch' || !isHolding) return false
    const { seq, service } = request
    held.push(() => {
      peer.send(registry.snapshot(service))
      peer.send({ type: 'done', seq })
    })
    return true
  })
  const resolver = resolverOver({ urls: registry.url }, { ...localRuntime(), dial: dialWebSocket }, {})
  ends.push(() => resolver.close())
  const told = new Set<string>()
  const stops = Array.from({ length: 1000 }, (_, index) =>
    resolver.subscribe({ namespace: 'default', service: `s-${index}` }, ({ set }) => told.add(set.service)),
  )
  await eventually('the first questions', () => held.length === 256)
  const last = stops.slice(900)
  for (const stop of last) stop()
  await eventually('what is wanted no more', () => registry.of('unwatch').length === 100)
  expect(held).toHaveLength(256)
  isHolding = false
  for (const answer of held) answer()
  await eventually('all of them', () => told.size === 900)
  const asked = registry.of('watch').map(({ service }) => service)
  expect(new Set(asked).size).toBe(900)
  expect(asked).toHaveLength(900)

  registry.peers[0]?.drop()
  await eventually('all of them again', () => registry.of('watch').length === 1800)
})
