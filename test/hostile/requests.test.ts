import { afterEach, describe, expect, it } from 'vitest'
import {
  eventually,
  gatewayFor,
  Opened,
  RawClient,
} from '../../packages/portolan/src/proxy/testing/harness.ts'
import { answersIn, outcomeOf } from './answers.ts'
import type { RequestCase } from './case.ts'
import { play } from './play.ts'
import { recorder } from './recorder.ts'
import { requestCases } from './requests.ts'

const opened = new Opened()
afterEach(() => opened.close())

/** Short, for those who fall silent; long enough for a busy machine to read what is there. */
const settings = { headMs: 150, bodyIdleMs: 150, drainMs: 50 }
const next = (path: string) => `GET ${path} HTTP/1.1\r\nHost: next\r\n\r\n`

async function run({ steps, answers, fate, seen }: RequestCase): Promise<void> {
  const instance = await recorder(opened)
  const { gateway } = await gatewayFor(opened, [instance.upstream.port], settings)
  const client = new RawClient(opened, gateway.port)
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

  const other = new RawClient(opened, gateway.port).send(next('/fresh'))
  await eventually(() => answersIn(other).length > 0)
  expect(answersIn(other).map(outcomeOf)).toEqual(['200 <GET /fresh >'])
  expect(instance.seen).toEqual([...seen, ...(fate === 'open' ? ['GET /same '] : []), 'GET /fresh '])
  expect(instance.faults).toEqual([])
  // What was begun and refused must not be left to be completed by whoever comes next.
  if (fate !== 'open') await eventually(() => instance.halfway() === 0)
}

describe.each(Object.entries(requestCases))('hostile requests: %s', (_, cases) => {
  it.each(cases.map(entry => [entry.name, entry] as const))('%s', (_name, entry) => run(entry))
})

it('there are enough, and no two of one name', () => {
  for (const [theme, cases] of Object.entries(requestCases)) {
    const names = cases.map(({ name }) => name)
    expect(
      names.filter((name, index) => names.indexOf(name) !== index),
      theme,
    ).toEqual([])
  }
  expect(Object.values(requestCases).flat().length).toBeGreaterThan(200)
})
