import { type Answer, decode } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { withCookie } from '../../codec/cookie.ts'
import { a, messageSaying, reading } from '../testing/answers.ts'
import { queryFor, questionBytes, withDnssec, withEdns } from '../testing/queries.ts'
import { flag } from './answer-reading.ts'
import { cutTo } from './cutting.ts'
import { bareAnswer, fresh, keepAnswer, replyTo } from './kept-answer.ts'

const opt: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 4096,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [{ code: 12, data: Buffer.alloc(40) }],
}
const flags = flag.AA | flag.AD | flag.RD | flag.RA | flag.CD

function kept(answers: Answer[], additionals: Answer[] = [opt], longest = 86_400) {
  const bytes = questionBytes('A.eXample', 1)
  return keepAnswer(reading(messageSaying(9, bytes, { flags, answers, additionals })), longest)
}

describe('a reply', () => {
  it('has the query’s id, case, RD and CD, and no AA', () => {
    const query = queryFor('a.EXAMPLE', 1, { recursionDesired: false, checkingDisabled: false })
    const reply = decode(replyTo(query, kept([a('a.example')]), fresh))
    expect(reply).toMatchObject({
      id: query.id,
      flag_aa: false,
      flag_rd: false,
      flag_ra: true,
      flag_cd: false,
    })
    expect(reply.questions?.[0]?.name).toBe('a.EXAMPLE')
    const checked = decode(replyTo({ ...query, checkingDisabled: true }, kept([a('a.example')]), fresh))
    expect(checked.flag_cd).toBe(true)
  })

  it('says that it is proved to those alone who asked for DNSSEC', () => {
    const say = (rest: object) =>
      decode(replyTo(queryFor('a.example', 1, rest), kept([a('a.example')]), fresh))
    expect([say({}), say(withEdns), say(withDnssec)].map(({ flag_ad }) => flag_ad)).toEqual([
      false,
      false,
      true,
    ])
  })

  it('has an OPT record of ours where the query had one, and never the upstream’s', () => {
    const plain = decode(replyTo(queryFor('a.example'), kept([a('a.example')]), fresh))
    expect(plain.additionals).toEqual([])
    const reply = replyTo(
      queryFor('a.example', 1, withDnssec),
      kept([a('a.example')], [a('b.example'), opt]),
      fresh,
    )
    expect(decode(reply).additionals).toMatchObject([
      { name: 'b.example' },
      { type: 'OPT', udpPayloadSize: 1232, options: [], flag_do: true },
    ])
    expect(reply.subarray(-11).toString('hex')).toBe('00002904d0000080000000')
  })

  it('counts TTLs down to 0, caps them, or sets them all', () => {
    const answer = kept([a('a.example', 100), a('a.example', 5), a('a.example', 500_000)])
    const ttls = (aging: Parameters<typeof replyTo>[2]) =>
      decode(replyTo(queryFor('a.example'), answer, aging)).answers?.map(one => 'ttl' in one && one.ttl)
    expect(ttls(fresh)).toEqual([100, 5, 86_400])
    expect(ttls({ goneSeconds: 10 })).toEqual([90, 0, 86_390])
    expect(ttls({ leftSeconds: 30 })).toEqual([30, 30, 30])
  })

  it('carries what we know nothing of as it came', () => {
    const data = Buffer.from([1, 2, 0xc0, 0xff, 0x80])
    const answer = kept([{ type: 'UNKNOWN_65280' as never, name: 'a.example', ttl: 7, data } as Answer])
    const reply = decode(replyTo(queryFor('a.example', 65_280), answer, fresh))
    expect(reply.answers).toMatchObject([{ type: 'UNKNOWN_65280', ttl: 7, data }])
  })

  it('is made of the code alone where the question was not repeated', () => {
    const header = Buffer.from('000981860000000100000000', 'hex')
    const records = messageSaying(9, questionBytes('a.example', 1), { answers: [a('b.example')] })
    const message = Buffer.concat([header, records.subarray(12 + 15)])
    const query = queryFor('a.EXAMPLE', 1, withEdns)
    const reply = replyTo(query, keepAnswer(reading(message), 86_400), fresh)
    expect(decode(reply)).toMatchObject({
      id: query.id,
      rcode: 'YXDOMAIN',
      questions: [{ name: 'a.EXAMPLE' }],
      answers: [],
      additionals: [{ type: 'OPT' }],
    })
    expect(reply.length).toBe(12 + 15 + 11)
  })

  it('says its code in full where there is an OPT record', () => {
    const bare = bareAnswer(questionBytes('a.example', 1), 23)
    expect(replyTo(queryFor('a.example', 1, withEdns), bare, fresh)[12 + 15 + 5]).toBe(1)
  })
})

it('a cookie goes into the OPT record', () => {
  const cookie = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
  const reply = replyTo(queryFor('a.example', 1, withEdns), kept([a('a.example')]), fresh)
  expect(decode(withCookie(reply, cookie))).toMatchObject({
    answers: [{ name: 'a.example' }],
    additionals: [{ type: 'OPT', options: [{ code: 10, data: cookie }] }],
  })
})

describe('a reply that is too long', () => {
  const many = Array.from({ length: 40 }, (_, index) => a('a.example', 60, `192.0.2.${index}`))
  const query = queryFor('a.example', 1, withEdns)

  it('stays as it is where it fits', () => {
    const reply = replyTo(query, kept([a('a.example')]), fresh)
    expect(cutTo(reply, reply.length)).toBe(reply)
  })

  it('loses its additional records first, without a word', () => {
    const cut = decode(cutTo(replyTo(query, kept([a('a.example')], many), fresh), 512))
    expect(cut).toMatchObject({ flag_tc: false, answers: [{ type: 'A' }], additionals: [{ type: 'OPT' }] })
  })

  it('then has none at all, and says so', () => {
    const cut = cutTo(replyTo(query, kept(many), fresh), 512)
    expect(decode(cut)).toMatchObject({
      id: query.id,
      flag_tc: true,
      answers: [],
      authorities: [],
      additionals: [{ type: 'OPT' }],
    })
    expect(cut.length).toBe(12 + 15 + 11)
    const plain = decode(cutTo(replyTo(queryFor('a.example'), kept(many), fresh), 512))
    expect(plain).toMatchObject({ flag_tc: true, answers: [], additionals: [] })
  })
})
