import { afterEach, describe, expect, it } from 'vitest'
import { Opened } from '../../../proxy/testing/harness.ts'
import type { ForwarderOptions } from '../open-forwarder.ts'
import { a, messageSaying } from '../testing/answers.ts'
import { openTested, patient } from '../testing/open-tested.ts'
import { queryFor, withEdns } from '../testing/queries.ts'
import { type Script, scriptedUpstream } from '../testing/scripted-upstream.ts'

const opened = new Opened()
afterEach(() => opened.close())

const TC = 0x8380
const query = queryFor('www.example.com', 1, withEdns)
const servfail = 2

function parts(message: Buffer): { id: number; question: Buffer; edns: boolean } {
  const end = message.indexOf(0, 12) + 5
  return {
    id: message.readUInt16BE(0),
    question: message.subarray(12, end),
    edns: message.readUInt16BE(10) === 1,
  }
}

function good(message: Buffer): Buffer {
  const { id, question } = parts(message)
  return messageSaying(id, question, { answers: [a('www.example.com')] })
}

/** Every letter in the other case. */
function swapped(question: Buffer): Buffer {
  return Buffer.from(question.map(byte => (byte > 0x40 && byte < 0x7b ? byte ^ 0x20 : byte)))
}

async function ask(script: Script, rest: Partial<ForwarderOptions> = patient) {
  const upstream = await scriptedUpstream(opened, script)
  const forwarder = openTested(opened, [upstream.address], rest)
  const reply = await forwarder.ask(query)
  const over = upstream.seen.map(one => one.over)
  return { rcode: reply.readUInt16BE(2) & 15, answers: reply.readUInt16BE(6), over, upstream, forwarder }
}

const bare = (id: number, question: Buffer, rcode: number, flags = 0x8180): Buffer => {
  return messageSaying(id, question, { rcode, flags: flags & 0x7fff })
}

/** An answer that leaves everything out, the question too. */
function header(id: number, rcode: number): Buffer {
  const message = Buffer.alloc(12)
  message.writeUInt16BE(id, 0)
  message.writeUInt16BE(0x8180 | rcode, 2)
  return message
}

describe('what an upstream sends', () => {
  it('is asked by UDP with EDNS, from another port and with another id and case each time', async () => {
    const upstream = await scriptedUpstream(opened, message => [good(message)])
    const forwarder = openTested(opened, [upstream.address], { ...patient, cacheSize: 0 })
    for (let count = 0; count < 20; count++) await forwarder.ask(query)
    const distinct = (of: (message: Buffer) => unknown) =>
      new Set(upstream.seen.map(one => of(one.message))).size
    expect(distinct(message => message.readUInt16BE(0))).toBeGreaterThan(18)
    expect(distinct(message => parts(message).question.toString('latin1'))).toBeGreaterThan(10)
    expect(new Set(upstream.seen.map(({ from }) => from)).size).toBeGreaterThan(15)
    expect(
      upstream.seen.every(
        ({ message }) => message.subarray(-11).toString('hex') === '00002904d0000000000000',
      ),
    ).toBe(true)
  })

  it('is not believed with another id, and is with the right one', async () => {
    const wrong = (message: Buffer) => {
      const answer = good(message)
      answer.writeUInt16BE(answer.readUInt16BE(0) ^ 1, 0)
      return answer
    }
    const { rcode, answers, over, forwarder } = await ask(message => [
      wrong(message),
      wrong(message),
      good(message),
    ])
    expect([rcode, answers, over]).toEqual([0, 1, ['udp']])
    expect(await forwarder.metric('strays_total')).toBe(2)
  })

  it('is not believed when it answers another question', async () => {
    const other = (message: Buffer) => {
      const { id, question } = parts(message)
      const changed = Buffer.from(question)
      changed[1] = 0x7a
      return messageSaying(id, changed, { answers: [a('zww.example.com', 60, '203.0.113.1')] })
    }
    const { answers, over } = await ask(message => [other(message), good(message)])
    expect([answers, over]).toEqual([1, ['udp']])
  })

  it('is asked for again by TCP when the case is not that of the question', async () => {
    const { rcode, answers, over } = await ask((message, transport) => {
      const { id, question } = parts(message)
      return [transport === 'udp' ? bare(id, swapped(question), 0) : good(message)]
    })
    expect([rcode, answers, over]).toEqual([0, 1, ['udp', 'tcp']])
  })

  it('is asked for again by TCP when somebody guesses', async () => {
    const { answers, over } = await ask((message, transport) => {
      if (transport === 'tcp') return [good(message)]
      return Array.from({ length: 20 }, (_, count) => bare(count, parts(message).question, 0))
    })
    expect(answers).toBe(1)
    expect(over.at(-1)).toBe('tcp')
  })

  it('is asked for again by TCP when it is truncated, whatever it holds', async () => {
    const { answers, over } = await ask((message, transport) => {
      if (transport === 'tcp') return [good(message)]
      const { id, question } = parts(message)
      const cut = bare(id, question, 0, TC)
      cut.writeUInt16BE(40, 6)
      return [cut]
    })
    expect([answers, over]).toEqual([1, ['udp', 'tcp']])
  })

  it('is asked for again without EDNS when it does not know that, and remembered so', async () => {
    const script: Script = message => {
      const { id, question, edns } = parts(message)
      return [edns ? bare(id, question, 1) : good(message)]
    }
    const { answers, upstream, forwarder } = await ask(script)
    expect([answers, upstream.seen.length]).toEqual([1, 2])
    await forwarder.ask(queryFor('other.example.com'))
    expect(upstream.seen.length).toBe(3)
  })

  it('may be an error without the question', async () => {
    const { rcode, over } = await ask(message => [header(parts(message).id, servfail)])
    expect([rcode, over]).toEqual([servfail, ['udp']])
  })

  it.each([0, 3, 6, 7, 8, 9, 10, 15])('is not believed without the question when it says %i', async rcode => {
    const { answers, over, forwarder } = await ask(message => [
      header(parts(message).id, rcode),
      good(message),
    ])
    expect([answers, over]).toEqual([1, ['udp']])
    expect(await forwarder.metric('strays_total')).toBe(1)
  })

  it.each<[string, Script, string]>([
    [
      'YXDOMAIN without the question by TCP',
      (message, over) => [
        over === 'tcp'
          ? header(parts(message).id, 6)
          : bare(parts(message).id, parts(message).question, 0, TC),
      ],
      'garbage',
    ],
    ['nothing', () => [], 'timeout'],
    ['no DNS', () => [Buffer.from('hello')], 'timeout'],
    ['the question', message => [message], 'timeout'],
    ['records that are none', message => [Buffer.concat([withAnswers(good(message), 2)])], 'garbage'],
    ['TC by TCP, too', message => [bare(parts(message).id, parts(message).question, 0, TC)], 'garbage'],
    [
      'another id by TCP',
      (message, over) => [bare(parts(message).id ^ (over === 'tcp' ? 1 : 0), parts(message).question, 0, TC)],
      'garbage',
    ],
    [
      'an empty message by TCP',
      (message, over) => [
        over === 'tcp' ? Buffer.alloc(0) : bare(parts(message).id, parts(message).question, 0, TC),
      ],
      'garbage',
    ],
  ])('may be %s, which ends as SERVFAIL in time', async (_, script, reason) => {
    const from = performance.now()
    const { rcode, forwarder } = await ask(script, { timeoutMs: 600 })
    expect(rcode).toBe(servfail)
    expect(performance.now() - from).toBeLessThan(2000)
    expect(await forwarder.failures(reason)).toBeGreaterThan(0)
  })

  it('may be every second answer alone', async () => {
    let count = 0
    const upstream = await scriptedUpstream(opened, message => (count++ % 2 === 0 ? [] : [good(message)]))
    const forwarder = openTested(opened, [upstream.address], { cacheSize: 0 })
    for (let asked = 0; asked < 3; asked++) expect((await forwarder.ask(query)).readUInt16BE(6)).toBe(1)
    expect(upstream.seen.length).toBeGreaterThanOrEqual(6)
  })

  it('may be nothing at all, since nobody is there: the next one is asked at once', async () => {
    const gone = await scriptedUpstream(opened, () => [])
    await opened.close()
    const upstream = await scriptedUpstream(opened, message => [good(message)])
    const forwarder = openTested(opened, [gone.address, upstream.address], patient)
    expect((await forwarder.ask(query)).readUInt16BE(6)).toBe(1)
    expect(await forwarder.failures('unreachable')).toBe(1)
  })

  it('ends with the forwarder, and nothing stays open', async () => {
    const upstream = await scriptedUpstream(opened, () => [])
    const forwarder = openTested(opened, [upstream.address])
    const asked = forwarder.ask(query)
    await forwarder.close()
    expect((await asked).readUInt16BE(2) & 15).toBe(servfail)
  })
})

function withAnswers(message: Buffer, count: number): Buffer {
  const changed = Buffer.from(message)
  changed.writeUInt16BE(count, 6)
  return changed
}
