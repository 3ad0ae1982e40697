import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { grant } from '../../registry/access/grants.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession, openSocket } from '../testing/session-client.ts'

let tested: Tested
beforeEach(async () => {
  tested = await openTested({
    found: 'answered',
    settings: {
      listen: [{ host: '127.0.0.1', port: 0 }],
      limits: { subscriptions: 2, instances: 2, frame: 4096 },
      times: { hello: 100, ping: 40, silent: 60, lease: 400 },
    },
  })
})
afterEach(() => tested.close())

const instance = (id: string, service = 'order') => ({ service, id, ports: [8080] })

describe('the beginning of a session', () => {
  it('welcomes with what the client needs to know', async () => {
    const { welcome, close } = await openSession(tested.url)
    expect(welcome).toMatchObject({
      protocol: 1,
      epoch: tested.registry.cursor.epoch,
      leaseMs: 400,
      pingMs: 40,
    })
    expect(Buffer.from(welcome.session, 'base64url')).toHaveLength(16)
    await close()
  })

  it('must be a hello', async () => {
    const client = await openSocket(tested.url)
    client.send({ type: 'watch', seq: 1, service: 'order' })
    expect(await client.next('failed')).toMatchObject({ code: 'invalid_request' })
    expect(await client.closed).toBe(4400)
  })

  it('must speak a version that we speak', async () => {
    const client = await openSocket(tested.url)
    client.send({ type: 'hello', protocol: 99, kind: 'sdk', name: 'x' })
    expect(await client.next('failed')).toMatchObject({ code: 'protocol_unsupported' })
    expect(await client.closed).toBe(4400)
  })

  it('must come in time', async () => {
    const client = await openSocket(tested.url)
    expect(await client.closed).toBe(4408)
  })

  it('comes once', async () => {
    const client = await openSession(tested.url)
    client.send({ type: 'hello', protocol: 1, kind: 'sdk', name: 'x' })
    expect(await client.next('failed')).toMatchObject({ code: 'invalid_request' })
    await client.close()
  })
})

describe('bad messages', () => {
  it.each([
    ['{', undefined],
    ['null', undefined],
    ['[]', undefined],
    ['"hello"', undefined],
    ['{}', undefined],
    ['{"type":"toString","seq":5}', 5],
    ['{"type":"watch"}', undefined],
    ['{"type":"watch","seq":5,"service":"a b"}', 5],
    ['{"type":"watch","seq":5,"service":"a","more":1}', 5],
    ['{"type":"watch","seq":-1,"service":"a"}', undefined],
    ['{"type":"watch","seq":5,"service":"a","from":"yesterday"}', 5],
    ['{"type":"register","seq":5,"instance":{"service":"a","id":"b","ports":[70000]}}', 5],
    ['{"type":"register","seq":5,"instance":{"service":"a","id":"b","ports":[80],"x":1}}', 5],
    ['{"type":"compare","seq":5,"service":"a","cursor":"e.1","count":0}', 5],
    ['{"type":"drain","seq":5,"service":"a","id":"b"}', 5],
    ['{"type":"renew","seq":5,"service":"a","id":"b","incarnation":1}', 5],
    ['{"__proto__":1}', undefined],
  ])('%s is answered, and the session goes on', async (text, seq) => {
    const client = await openSession(tested.url)
    client.websocket.send(text)
    const failed = await client.next('failed')
    expect(failed.seq).toBe(seq)
    expect(['invalid_request', 'instance_not_found']).toContain(failed.code)
    expect(await client.ask({ type: 'unwatch', seq: 9, service: 'order' })).toEqual({ type: 'done', seq: 9 })
    await client.close()
  })

  it('binary frames are answered, too', async () => {
    const client = await openSession(tested.url)
    client.websocket.send(Buffer.from('{}'))
    expect((await client.next('failed')).message).toContain('binary')
    await client.close()
  })

  it('a frame beyond the limit ends the session, and the server lives', async () => {
    const client = await openSession(tested.url)
    client.websocket.send('x'.repeat(10_000))
    expect(await client.closed).toBe(1009)
    await (await openSession(tested.url)).close()
  })

  it('no more watches and instances than a session may have', async () => {
    const client = await openSession(tested.url)
    for (const seq of [1, 2]) {
      expect(await client.ask({ type: 'watch', seq, service: `s${seq}` })).toMatchObject({ type: 'done' })
      expect(
        await client.ask({ type: 'register', seq: seq + 10, instance: instance(`i${seq}`) }),
      ).toMatchObject({
        type: 'done',
      })
    }
    expect(await client.ask({ type: 'watch', seq: 3, service: 's3' })).toMatchObject({ code: 'too_many' })
    expect(await client.ask({ type: 'watch', seq: 4, service: 's1' })).toMatchObject({ type: 'done' })
    expect(await client.ask({ type: 'register', seq: 13, instance: instance('i3') })).toMatchObject({
      code: 'too_many',
    })
    expect(await client.ask({ type: 'register', seq: 14, instance: instance('i1') })).toMatchObject({
      type: 'done',
    })
    await client.close()
  })

  it('a goodbye of an older run changes nothing', async () => {
    const client = await openSession(tested.url)
    const first = await client.ask({ type: 'register', seq: 1, instance: instance('i1') })
    const second = await client.ask({
      type: 'register',
      seq: 2,
      instance: { ...instance('i1'), version: '2' },
    })
    const [older, newer] = [first, second].map(done => ('incarnation' in done ? (done.incarnation ?? 0) : 0))
    expect(newer).toBeGreaterThanOrEqual(older ?? 0)
    await client.ask({
      type: 'deregister',
      seq: 3,
      service: 'order',
      id: 'i1',
      incarnation: (older ?? 0) - 1,
    })
    expect(tested.registry.view({ namespace: 'default', service: 'order' }).instances).toHaveLength(1)
    await client.close()
  })
})

describe('watching over a session', () => {
  it('goes on where it left off', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance: instance('i1') })
    await client.ask({ type: 'watch', seq: 2, service: 'order' })
    const { cursor } = await client.next('snapshot')
    await client.ask({ type: 'unwatch', seq: 3, service: 'order' })
    await client.ask({ type: 'register', seq: 4, instance: instance('i2') })
    await client.ask({ type: 'watch', seq: 5, service: 'order', from: cursor })
    const delta = await client.next('delta')
    expect(delta.put.map(({ id }) => id)).toEqual(['i2'])
    expect(client.received).toEqual([])
    await client.close()
  })

  it('compares: silence when equal, a snapshot when not', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance: instance('i1') })
    await client.ask({ type: 'watch', seq: 2, service: 'order' })
    const { cursor } = await client.next('snapshot')
    const compare = (seq: number, at: string, count: number) =>
      client.ask({ type: 'compare', seq, service: 'order', cursor: at, count })
    expect(await compare(3, cursor, 1)).toMatchObject({ type: 'done', cursor })
    expect(client.received).toEqual([])
    await compare(4, cursor, 2)
    expect(client.received).toMatchObject([{ type: 'snapshot', cursor }])
    await client.close()
  })

  it('tells one who is behind what it lacks, with the reasons: a bare snapshot would have the dead leave in steps', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance: instance('i1') })
    await client.ask({ type: 'register', seq: 2, instance: instance('i2') })
    await client.ask({ type: 'watch', seq: 3, service: 'order' })
    const { cursor, instances } = await client.next('snapshot')
    const incarnation = instances[1]?.incarnation ?? 0
    await client.ask({ type: 'deregister', seq: 4, service: 'order', id: 'i2', incarnation })
    await client.next('delta')
    await client.ask({ type: 'compare', seq: 5, service: 'order', cursor, count: 2 })
    expect(client.received).toMatchObject([{ type: 'delta', gone: [{ id: 'i2', reason: 'goodbye' }] }])
    await client.close()
  })

  it('tells the routes, now and at each change', async () => {
    const client = await openSession(tested.url, { kind: 'proxy' })
    await client.ask({ type: 'watch-routes', seq: 1 })
    expect((await client.next('routes')).table.routes).toHaveLength(1)
    tested.setRoutes({ routes: [], exposed: ['order'] })
    expect((await client.next('routes')).table).toEqual({ routes: [], exposed: ['order'] })
    await client.close()
  })
})

describe('drains', () => {
  it('end when every picking subscriber has acknowledged, and tell the holder', async () => {
    const owner = await openSession(tested.url, { kind: 'agent' })
    const watcher = await openSession(tested.url)
    await owner.ask({ type: 'register', seq: 1, instance: instance('i1') })
    await watcher.ask({ type: 'watch', seq: 1, service: 'order' })
    await watcher.next('snapshot')
    const drained = fetch(`${tested.url}/api/v1/services/order/instances/i1/drain?grace=10s`, {
      method: 'POST',
    })
    const { cursor, put } = await watcher.next('delta')
    expect(put[0]?.causes).toMatchObject([{ kind: 'draining' }])
    expect(owner.received).toEqual([])
    watcher.send({ type: 'ack', service: 'order', cursor })
    watcher.send({ type: 'idle', service: 'order', id: 'i1', incarnation: put[0]?.incarnation ?? 0 })
    expect(await owner.next('may-stop')).toMatchObject({ service: 'order', id: 'i1', acknowledged: true })
    expect(await (await drained).json()).toEqual({ acknowledged: true })
    await Promise.all([owner.close(), watcher.close()])
  })

  it('end with the grace time when somebody does not acknowledge', async () => {
    const owner = await openSession(tested.url)
    await owner.ask({ type: 'register', seq: 1, instance: instance('i1') })
    await owner.ask({ type: 'watch', seq: 2, service: 'order' })
    await owner.ask({ type: 'drain', seq: 3, service: 'order', id: 'i1', graceMs: 20 })
    expect(await owner.next('may-stop')).toMatchObject({ id: 'i1', acknowledged: false })
    await owner.close()
  })

  it('wait for a subscriber that takes a fresh snapshot meanwhile', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'register', seq: 1, instance: instance('i1') })
    await client.ask({ type: 'watch', seq: 2, service: 'order' })
    const { cursor: before } = await client.next('snapshot')
    const name = { namespace: 'default', service: 'order', id: 'i1' }
    let acknowledged: boolean | undefined
    const drained = tested.registry.drain(name, { name: 'ops', admin: true }, 10_000).then(all => {
      acknowledged = all
    })
    await client.next('delta')
    await client.ask({ type: 'compare', seq: 3, service: 'order', cursor: before, count: 1 })
    expect(acknowledged).toBeUndefined()
    const { cursor, put } = await client.next('delta')
    client.send({ type: 'ack', service: 'order', cursor })
    client.send({ type: 'idle', service: 'order', id: 'i1', incarnation: put[0]?.incarnation ?? 0 })
    await drained
    expect(acknowledged).toBe(true)
    await client.close()
  })

  it('tell the holder, not somebody who was refused its id', async () => {
    const [mine, theirs] = await Promise.all(
      ['a', 'b'].map(async name => {
        const grants = [grant(['register'], 'default')]
        const { secret } = await tested.access.mint({ name, grants })
        return openSession(tested.url, { headers: { authorization: `Bearer ${secret}` } })
      }),
    )
    if (mine === undefined || theirs === undefined) throw new Error('two sessions were opened')
    await mine.ask({ type: 'register', seq: 1, instance: instance('i1') })
    expect(await theirs.ask({ type: 'register', seq: 1, instance: instance('i1') })).toMatchObject({
      code: 'instance_owned_by_other',
    })
    // What was refused does not count to what a session may hold.
    for (const [index, id] of ['i2', 'i3'].entries()) {
      const seq = index + 2
      expect(await theirs.ask({ type: 'register', seq, instance: instance(id) })).toMatchObject({
        type: 'done',
      })
    }
    await fetch(`${tested.url}/api/v1/services/order/instances/i1/drain?grace=1ms`, { method: 'POST' })
    expect(await mine.next('may-stop')).toMatchObject({ id: 'i1' })
    await Promise.all([mine.close(), theirs.close()])
  })
})
