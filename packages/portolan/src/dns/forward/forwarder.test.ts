import { type Answer, decode, encode } from 'dns-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { Opened } from '../../proxy/testing/harness.ts'
import { openTested, patient } from './testing/open-tested.ts'
import { queryFor, withEdns } from './testing/queries.ts'
import { scriptedUpstream } from './testing/scripted-upstream.ts'

const opened = new Opened()
afterEach(() => opened.close())

/** Answers each question with the same records. */
function saying(answers: Answer[]): (message: Buffer) => Buffer[] {
  return message => {
    const { id, questions } = decode(message)
    return [encode({ type: 'response', id: id ?? 0, flags: 0x0180, questions: questions ?? [], answers })]
  }
}

describe('a forwarder', () => {
  it('asks its upstream and answers under the query’s own id and case', async () => {
    const record: Answer = { type: 'A', name: 'www.example.com', ttl: 60, data: '192.0.2.1' }
    const upstream = await scriptedUpstream(opened, saying([record]))
    const forwarder = openTested(opened, [upstream.address], patient)
    const query = queryFor('wWw.ExAmple.com', 1, withEdns)
    const reply = await forwarder.read(query)
    expect(reply).toMatchObject({
      id: query.id,
      rcode: 'NOERROR',
      flag_aa: false,
      flag_ra: true,
      flag_rd: true,
    })
    expect(reply.questions).toEqual([{ name: 'wWw.ExAmple.com', type: 'A', class: 'IN' }])
    expect(reply.answers).toMatchObject([{ type: 'A', data: '192.0.2.1', ttl: 60 }])
    expect(reply.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }])
    expect(upstream.seen.map(({ over }) => over)).toEqual(['udp'])
  })
})
