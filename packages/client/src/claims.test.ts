import type { RateDemand, RateShare } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import { type OpenResolver, resolverOver } from './open-resolver.ts'
import { dialWebSocket } from './session/websocket.ts'
import { eventually } from './testing/eventually.ts'
import { hurriedRuntime } from './testing/local-runtime.ts'
import { ScriptedRegistry } from './testing/scripted-registry.ts'

const order = { namespace: 'default', service: 'order' }
let registry: ScriptedRegistry
let resolver: OpenResolver

afterEach(async () => {
  await resolver.close()
  await registry.stop()
})

describe('a share of a rate limit', () => {
  test('is asked for, told of over each connection, and taken until the claim ends', async () => {
    registry = await new ScriptedRegistry({ pingMs: 50, announcedMs: 4000 }).start()
    resolver = resolverOver({ urls: registry.url }, { ...hurriedRuntime(20), dial: dialWebSocket }, {})
    const shares: RateShare[] = []
    let said: RateDemand = { tokens: 0 }
    const claim = resolver.claim(order, { demand: () => said, receive: share => shares.push(share) })
    await eventually('the demand', () => registry.of('demand').length === 1)
    expect(registry.of('demand')[0]).toEqual({ type: 'demand', ...order, tokens: 0 })

    const peer = registry.peers.at(-1)
    peer?.send({ type: 'share', service: 'payment', qps: 1, burst: 1 })
    peer?.send({ type: 'share', ...order, qps: 300, burst: 60, tokens: 5 })
    await eventually('the share', () => shares.length === 1)
    expect(shares).toEqual([{ qps: 300, burst: 60, tokens: 5 }])

    claim.tell({ tokens: 3, perSecond: 7 })
    await eventually('what is told', () => registry.of('demand').length === 2)
    expect(registry.of('demand')[1]).toMatchObject({ tokens: 3, perSecond: 7 })

    said = { tokens: 1, perSecond: 9, qps: 300 }
    peer?.drop()
    await eventually('the demand again', () => registry.of('demand').length === 3)
    expect(registry.of('demand')[2]).toMatchObject(said)

    claim.end()
    registry.peers.at(-1)?.send({ type: 'share', ...order, qps: 1, burst: 1 })
    registry.peers.at(-1)?.drop()
    await eventually('another session', () => registry.peers.length === 3)
    await eventually('its hello', () => resolver.connected)
    expect(shares).toHaveLength(1)
    expect(registry.of('demand')).toHaveLength(3)
  })
})
