import type { Instance } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

const times = { hello: 2000, ping: 40, silent: 60, lease: 400 }
const listen = [{ host: '127.0.0.1', port: 0 }]
const instance = { service: 'order', id: 'order-1', ports: [8080] }
const name = { namespace: 'default', service: 'order', id: 'order-1' }

let tested: Tested
beforeEach(async () => {
  tested = await openTested({ settings: { listen, times } })
})
afterEach(() => tested.close())

const causes = () => tested.registry.find(name)?.causes.map(({ kind }: Instance['causes'][number]) => kind)

describe('a session’s silence', () => {
  it('is a cause, and its next pong lifts it', async () => {
    const client = await openSession(tested.url, { autoPong: false })
    let frozen = false
    client.websocket.on('ping', data => {
      if (!frozen) client.websocket.pong(data)
    })
    await client.ask({ type: 'register', seq: 1, instance })
    expect(causes()).toEqual([])
    frozen = true
    await expect.poll(causes, { interval: 5 }).toEqual(['disconnected'])
    frozen = false
    client.websocket.pong()
    await expect.poll(causes, { interval: 5 }).toEqual([])
    await client.close()
  })

  it('that cost it an instance ends the session: its client registers again, and would not know to', async () => {
    const client = await openSession(tested.url, { autoPong: false })
    let frozen = false
    client.websocket.on('ping', data => {
      if (!frozen) client.websocket.pong(data)
    })
    await client.ask({ type: 'register', seq: 1, instance })
    frozen = true
    await expect.poll(causes, { interval: 5 }).toEqual(['disconnected'])
    tested.registry.proved(name, tested.registry.find(name)?.incarnation ?? 0, 'refused')
    await expect.poll(causes, { interval: 5 }).toBeUndefined()
    frozen = false
    client.websocket.pong()
    expect(await client.closed).toBe(4411)
    const again = await openSession(tested.url, { resume: client.welcome.session })
    await again.ask({ type: 'register', seq: 2, instance })
    expect(causes()).toEqual([])
    await again.close()
  })

  it('ends no session for an instance that it deregistered itself before its pong', async () => {
    const client = await openSession(tested.url, { autoPong: false })
    let frozen = false
    client.websocket.on('ping', data => {
      if (!frozen) client.websocket.pong(data)
    })
    await client.ask({ type: 'register', seq: 1, instance })
    const incarnation = tested.registry.find(name)?.incarnation ?? 0
    await client.ask({ type: 'register', seq: 2, instance: { ...instance, id: 'order-2' } })
    frozen = true
    await expect.poll(causes, { interval: 5 }).toEqual(['disconnected'])
    await client.ask({ type: 'deregister', seq: 3, service: 'order', id: 'order-1', incarnation })
    frozen = false
    client.websocket.pong()
    await expect
      .poll(() => tested.registry.find({ ...name, id: 'order-2' })?.causes, { interval: 5 })
      .toEqual([])
    expect(client.websocket.readyState).toBe(client.websocket.OPEN)
    await client.close()
  })

  it('ends the session after the time of a lease', async () => {
    const client = await openSession(tested.url, { autoPong: false })
    expect(await client.closed).toBe(4410)
    await expect
      .poll(() => tested.metrics.getSingleMetricAsString('portolan_session_silences_total'))
      .toContain(' 1')
  })

  it('is not what a session that answers is ever accused of', async () => {
    const client = await openSession(tested.url)
    let pings = 0
    client.websocket.on('ping', data => {
      expect(String(data)).toBe('40')
      pings += 1
    })
    await expect.poll(() => pings, { timeout: 5000 }).toBeGreaterThan(8)
    expect(await tested.metrics.getSingleMetricAsString('portolan_session_silences_total')).toContain(' 0')
    await client.close()
  })
})

describe('a session that breaks off', () => {
  it('leaves its instances with the cause disconnected while nobody knows more', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance })
    client.websocket.terminate()
    await expect.poll(causes, { interval: 5 }).toEqual(['disconnected'])
  })

  it('is gone on with by its client', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance })
    client.websocket.terminate()
    await expect.poll(causes, { interval: 5 }).toEqual(['disconnected'])
    const again = await openSession(tested.url, { resume: client.welcome.session })
    expect(again.welcome.session).toBe(client.welcome.session)
    await again.ask({ type: 'register', seq: 2, instance })
    await expect.poll(causes, { interval: 5 }).toEqual([])
    await again.close()
  })

  it('is taken over while the old connection still looks alive, without a gap', async () => {
    const seen: unknown[] = []
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance })
    const watching = tested.registry.subscribe(name, undefined, change => {
      seen.push(change.set.instances.map(one => one.causes.length))
      return true
    })
    const again = await openSession(tested.url, { resume: client.welcome.session })
    expect(await client.closed).toBe(4409)
    expect(causes()).toEqual([])
    expect(seen).toEqual([[0]])
    watching.close()
    await again.close()
  })

  it('is not spoken for by its old connection once it was taken over', async () => {
    const client = await openSession(tested.url, { autoPong: false })
    await client.ask({ type: 'register', seq: 1, instance })
    // Neither answers pings nor the goodbye of the server: the old connection lingers.
    client.websocket.pause()
    const again = await openSession(tested.url, { resume: client.welcome.session })
    await new Promise(resolve => setTimeout(resolve, 3 * (times.ping + times.silent)))
    expect(causes()).toEqual([])
    await again.close()
  })

  it('is forgotten after the time of a lease', async () => {
    const client = await openSession(tested.url)
    await client.close()
    await new Promise(resolve => setTimeout(resolve, times.lease + 50))
    const again = await openSession(tested.url, { resume: client.welcome.session })
    expect(again.welcome.session).not.toBe(client.welcome.session)
    await again.close()
  })
})

describe('a server that closes', () => {
  it('leaves the instances as they are: its going says nothing about them', async () => {
    const leaving = await openTested({ found: 'refused' })
    const client = await openSession(leaving.url)
    await client.ask({ type: 'register', seq: 1, instance })
    await leaving.api.close()
    expect(await client.closed).toBe(1001)
    expect(leaving.registry.find(name)?.causes).toEqual([])
    await leaving.close()
  })
})
