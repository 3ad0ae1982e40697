import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  eventually,
  gatewayFor,
  Opened,
  RawClient,
} from '../../packages/portolan/src/proxy/testing/harness.ts'
import { answersIn, outcomeOf } from './answers.ts'
import type { RequestCase } from './case.ts'
import { play } from './play.ts'
import { haproxy, isThere, nginx, node, type RealServer } from './real-servers.ts'
import { requestCases } from './requests.ts'

const servers = { nginx, haproxy, node } as const
const settings = { headMs: 300, bodyIdleMs: 300, drainMs: 10 }
/** HAProxy and nginx need not hold larger bodies to say how large they are. */
const mostBody = 8192

/** What reaches an instance: all cases that are passed on, and those that turn out bad when part of them is there. */
const cases = Object.entries(requestCases)
  .flatMap(([theme, all]) => (theme === 'endings' ? [] : all))
  .filter(({ steps, seen }) => {
    const isBody = steps.some(step => typeof step === 'string' && step.startsWith('POST'))
    return (seen.length > 0 || isBody) && seen.every(line => line.length < mostBody)
  })

/** As the server says it: `<METHOD target SIZE>`. */
function told(seen: string): string {
  const [method = '', target = ''] = seen.split(' ', 2)
  return `200 <${method} ${target} ${seen.length - method.length - target.length - 2}>`
}

async function run({ steps, answers, fate, seen }: RequestCase, port: number): Promise<number> {
  const opened = new Opened()
  try {
    const { gateway } = await gatewayFor(opened, [port], settings)
    const client = new RawClient(opened, gateway.port)
    const isHead = (index: number) => seen[index]?.startsWith('HEAD') === true
    const outcomes = () =>
      answersIn(client, isHead)
        .map(outcomeOf)
        .filter(outcome => !outcome.startsWith('1'))
        .map(outcome => outcome.replace(/ >$/, ' 0>'))
    await play(client.socket, steps)
    const isOver = () =>
      client.ended || client.closed || (fate === 'open' && outcomes().length >= seen.length)
    await eventually(isOver, () => client.received)
    expect(outcomes().length).toBeLessThanOrEqual(answers.length)
    let turnedAway = 0
    for (const [index, outcome] of outcomes().entries()) {
      const line = seen[index]
      if (line === undefined && outcome.startsWith('4')) continue
      if (line === undefined) expect(outcome).toBe(answers[index])
      else if (outcome.startsWith('200')) expect(outcome).toBe(told(line))
      // Some are more particular than we are. That is theirs to say, and no harm is done.
      else {
        expect(outcome).toMatch(/^4\d\d |^50[15] /)
        turnedAway++
      }
    }
    if (turnedAway === 0) expect(outcomes().length).toBeGreaterThanOrEqual(seen.length)
    return turnedAway
  } finally {
    await opened.close()
  }
}

describe.each(Object.entries(servers))('requests that pass, read by %s', (name, open) => {
  const opened = new Opened()
  let server: RealServer | undefined
  const isMissing = name !== 'node' && !isThere(name)
  if (isMissing && process.env.CI) throw new Error(`${name} is not installed: npm run setup:test`)
  beforeAll(async () => {
    if (!isMissing) server = await open(opened)
  })
  afterAll(() => opened.close())

  it.skipIf(isMissing)(
    'are read as they were meant, and nothing else is read',
    async () => {
      if (server === undefined) throw new Error('not started')
      let turnedAway = 0
      for (const entry of cases) {
        try {
          turnedAway += await run(entry, server.port)
        } catch (error) {
          throw new Error(`${entry.name}: ${error instanceof Error ? error.message : String(error)}`, {
            cause: error,
          })
        }
      }
      expect(cases.length).toBeGreaterThan(100)
      expect(turnedAway).toBeLessThan(cases.length / 10)
      const meant = new Set(cases.flatMap(({ seen }) => seen.map(line => line.split(' ', 2).join(' '))))
      const begun = new Set(cases.map(({ steps }) => String(steps[0]).split(' ', 2).join(' ')))
      // `-` stands for what it has turned away.
      const others = server.log().filter(line => !line.endsWith(' -') && !meant.has(line) && !begun.has(line))
      expect(others).toEqual([])
      const evils = cases.flatMap(({ seen }) => seen.filter(line => line.startsWith('GET /evil')))
      expect(server.log().filter(line => line.startsWith('GET /evil')).length).toBeLessThanOrEqual(
        evils.length,
      )
    },
    60_000,
  )
})
