import { formatCursor } from '@portolan/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { grant } from '../../registry/access/grants.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

let tested: Tested
beforeEach(async () => {
  tested = await openTested()
})
afterEach(() => tested.close())

const name = { namespace: 'default', service: 'order', id: 'order-1' }
const kinds = () => tested.registry.find(name)?.causes.map(({ kind }) => kind)

async function ask(method: string, query = '', headers: Record<string, string> = {}) {
  const url = `${tested.url}/api/v1/services/order/instances/order-1/drain${query}`
  const answer = await fetch(url, { method, headers })
  return { status: answer.status, body: JSON.parse((await answer.text()) || '{}') }
}

it('a drain by mistake is lifted, and nobody is told that the instance may stop', async () => {
  const holder = await openSession(tested.url)
  await holder.ask({ type: 'register', seq: 1, instance: { ...name, ports: [8080] } })
  // A caller that does not acknowledge yet, so that the drain is not over by itself.
  const caller = await openSession(tested.url)
  await caller.ask({ type: 'watch', seq: 1, service: 'order' })

  expect((await ask('POST', '?wait=false&grace=15s')).status).toBe(202)
  const waiting = ask('POST', '?grace=15s')
  await expect.poll(kinds).toEqual(['draining'])
  expect(await ask('DELETE')).toMatchObject({ status: 200, body: { id: 'order-1', causes: [] } })
  expect(kinds()).toEqual([])
  caller.send({ type: 'ack', service: 'order', cursor: formatCursor(tested.registry.cursor) })
  expect(await waiting).toEqual({ status: 200, body: { acknowledged: false } })
  expect(holder.received.filter(({ type }) => type === 'may-stop')).toEqual([])

  // Another one goes its way, and says so.
  await ask('POST', '?grace=10ms')
  expect(await holder.next('may-stop')).toMatchObject({ id: 'order-1', acknowledged: false })
  await holder.close()
  await caller.close()
})

it('what is not drained is left as it is, and what is not there is a 404', async () => {
  expect(await ask('DELETE')).toMatchObject({ status: 404, body: { code: 'instance_not_found' } })
  const holder = await openSession(tested.url)
  await holder.ask({ type: 'register', seq: 1, instance: { ...name, ports: [8080] } })
  const before = tested.registry.cursor
  expect(await ask('DELETE')).toMatchObject({ status: 200, body: { id: 'order-1', causes: [] } })
  expect(tested.registry.cursor).toEqual(before)
  const { secret } = await tested.access.mint({ name: 'other', grants: [grant(['register'], 'default')] })
  const authorization = `Bearer ${secret}`
  expect(await ask('DELETE', '', { authorization })).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  })
  await holder.close()
})
