import type { RouteTable } from '@portolan/core'
import { expect } from 'vitest'
import { fixture } from '../../packages/portolan/src/proxy/testing/fixture.ts'
import { eventually } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { answersIn, outcomeOf } from './answers.ts'
import type { RequestCase } from './case.ts'
import { expectFresh, next, testCorpus } from './corpus.ts'
import { play } from './play.ts'
import { recorder } from './recorder.ts'
import { requestCases } from './requests.ts'

const { opened, gatewayFor, clientOf } = fixture()

/** Short, for those who fall silent; long enough for a busy machine to read what is there. */
const settings = { headMs: 150, bodyIdleMs: 150, drainMs: 50 }

/** `guarded` has routes by path. */
const routes: RouteTable = {
  routes: [
    { match: { host: 'guarded', path: '/private' }, service: 'order' },
    { match: { host: 'guarded', path: '/public' }, service: 'order' },
    { match: {}, service: 'order' },
  ],
  exposed: 'all',
}

async function run({ steps, answers, fate, seen }: RequestCase): Promise<void> {
  const instance = await recorder(opened)
  const { gateway } = await gatewayFor([instance.upstream.port], settings, routes)
  const client = clientOf(gateway.port)
  await play(client.socket, steps)

  const expected = answers.map((answer, index) =>
    answer === '200' ? `200 <${(seen[index] ?? '').slice(0, 200)}>` : answer,
  )
  await eventually(
    () => answersIn(client).length >= expected.length && (fate === 'open' || client.ended || client.closed),
    () => client.received,
  )
  if (fate === 'open') {
    client.send(next('/same'))
    await eventually(
      () => answersIn(client).length > expected.length,
      () => client.received,
    )
    expected.push('200 <GET /same >')
  }
  expect(answersIn(client).map(outcomeOf)).toEqual(expected)
  expect(client.error?.message).toBeUndefined()

  await expectFresh(clientOf(gateway.port))
  expect(instance.seen).toEqual([...seen, ...(fate === 'open' ? ['GET /same '] : []), 'GET /fresh '])
  expect(instance.faults).toEqual([])
  // What was begun and refused must not be left to be completed by whoever comes next.
  if (fate !== 'open') await eventually(() => instance.halfway() === 0)
}

testCorpus('hostile requests', requestCases, 200, run)
