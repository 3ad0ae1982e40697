import { expect } from 'vitest'
import { fixture } from '../../packages/portolan/src/proxy/testing/fixture.ts'
import { eventually, type RawClient } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { answersIn, outcomeOf } from './answers.ts'
import type { ResponseCase } from './case.ts'
import { expectFresh, next, testCorpus } from './corpus.ts'
import { play } from './play.ts'
import { recorder } from './recorder.ts'
import { responseCases } from './responses.ts'

const { opened, gatewayFor, clientOf } = fixture()

const settings = { responseMs: 150, bodyIdleMs: 150, drainMs: 50 }

async function run({ request, steps, answers, fate, reused, again, part }: ResponseCase): Promise<void> {
  let client: RawClient | undefined
  let played: Promise<void> | undefined
  const isIdle = () => client?.received.endsWith('<GET /next >') === true
  const instance = await recorder(opened, socket => {
    played = play(socket, steps, isIdle)
  })
  const { gateway } = await gatewayFor([instance.upstream.port], settings)
  client = clientOf(gateway.port).send(`${request}${next('/next')}`)
  const isHead = (index: number) => index === 0 && request.startsWith('HEAD')
  const expected = fate === 'open' ? [...answers, '200 <GET /next >'] : answers
  const isOver = () =>
    fate === 'open' ? answersIn(client, isHead).length >= expected.length : client.ended || client.closed
  await eventually(isOver, () => client.received)
  await played
  expect(answersIn(client, isHead).map(outcomeOf)).toEqual(expected)
  if (fate === 'reset') {
    await eventually(() => client.closed)
    expect(client.error).toMatchObject({ code: 'ECONNRESET' })
    expect(client.received.slice(-part.length)).toBe(part)
  } else expect(client.error).toBeUndefined()

  const accepted = instance.upstream.accepted()
  if (fate === 'open') expect(accepted).toBe(reused ? 1 : 2)
  if (fate === 'open') {
    client.send(next('/same'))
    await eventually(() => answersIn(client, isHead).length > expected.length)
    expect(answersIn(client, isHead).map(outcomeOf).at(-1)).toBe('200 <GET /same >')
  }
  await expectFresh(clientOf(gateway.port))
  const more = fate === 'open' ? ['GET /next ', 'GET /same '] : []
  const seen = instance.seen.slice(1).filter((line, index, all) => !again || line !== all[index - 1])
  expect(seen).toEqual([...more, 'GET /fresh '])
  expect(instance.faults).toEqual([])
}

testCorpus('hostile answers', responseCases, 100, run)
