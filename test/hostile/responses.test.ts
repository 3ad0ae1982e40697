import { afterEach, describe, expect, it } from 'vitest'
import {
  eventually,
  gatewayFor,
  Opened,
  RawClient,
} from '../../packages/portolan/src/proxy/testing/harness.ts'
import { answersIn, outcomeOf } from './answers.ts'
import type { ResponseCase } from './case.ts'
import { play } from './play.ts'
import { recorder } from './recorder.ts'
import { responseCases } from './responses.ts'

const opened = new Opened()
afterEach(() => opened.close())

const settings = { responseMs: 150, bodyIdleMs: 150, drainMs: 50 }
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: next\r\n\r\n`

async function run({ request, steps, answers, fate, reused, again, part }: ResponseCase): Promise<void> {
  let client: RawClient | undefined
  let played: Promise<void> | undefined
  const isIdle = () => client?.received.endsWith('<GET /next >') === true
  const instance = await recorder(opened, socket => {
    played = play(socket, steps, isIdle)
  })
  const { gateway } = await gatewayFor(opened, [instance.upstream.port], settings)
  client = new RawClient(opened, gateway.port).send(`${request}${get('/next')}`)
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
    client.send(get('/same'))
    await eventually(() => answersIn(client, isHead).length > expected.length)
    expect(answersIn(client, isHead).map(outcomeOf).at(-1)).toBe('200 <GET /same >')
  }
  const other = new RawClient(opened, gateway.port).send(get('/fresh'))
  await eventually(() => answersIn(other).length > 0)
  expect(answersIn(other).map(outcomeOf)).toEqual(['200 <GET /fresh >'])
  const more = fate === 'open' ? ['GET /next ', 'GET /same '] : []
  const seen = instance.seen.slice(1).filter((line, index, all) => !again || line !== all[index - 1])
  expect(seen).toEqual([...more, 'GET /fresh '])
  expect(instance.faults).toEqual([])
}

describe.each(Object.entries(responseCases))('hostile answers: %s', (_, cases) => {
  it.each(cases.map(entry => [entry.name, entry] as const))('%s', (_name, entry) => run(entry))
})

it('there are enough, and no two of one name', () => {
  for (const [theme, cases] of Object.entries(responseCases)) {
    const names = cases.map(({ name }) => name)
    expect(
      names.filter((name, index) => names.indexOf(name) !== index),
      theme,
    ).toEqual([])
  }
  expect(Object.values(responseCases).flat().length).toBeGreaterThan(100)
})
