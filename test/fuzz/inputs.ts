import type { Random } from '@portolan/core'
import fc from 'fast-check'
import { requestText } from '../../packages/portolan/src/proxy/codec/testing/heads.ts'
import type { Step } from '../hostile/case.ts'
import { requestCases } from '../hostile/requests.ts'
import { responseCases } from '../hostile/responses.ts'

const largest = 3000

function textOf(steps: readonly Step[]): string {
  return steps.filter(step => typeof step === 'string').join('')
}

function texts(cases: readonly { readonly steps: readonly Step[] }[]): readonly string[] {
  return cases.map(({ steps }) => textOf(steps)).filter(text => text !== '' && text.length < largest)
}

const hostileRequests = texts(Object.values(requestCases).flat())
const hostileAnswers = texts(Object.values(responseCases).flat())

/** What a parser may trip over. */
const pieces = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  '\x7f',
  '\x0b',
  '\x80',
  '\xff',
  ':',
  ',',
  ';',
  '=',
  '"',
  '_',
  '-',
  '+',
  '/',
  '*',
  '%',
  '#',
  '0',
  '1',
  '5',
  'f',
  'x',
  '0x',
  '99999999999',
  'chunked',
  'identity',
  'close',
  'keep-alive',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2',
  'GET ',
  'POST ',
  'HEAD ',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  ';a=b',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: x\r\n',
  'Host: b\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\nConnection: upgrade\r\n',
  'Trailer: x\r\n',
  'X: y\r\n',
  ' z\r\n',
  'GET / HTTP/1.1\r\nHost: c\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  'HTTP/1.1 100 Continue\r\n\r\n',
  ' 204 ',
  ' 304 ',
  ' 101 ',
  ' 500 ',
] as const

function among<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T
}

/** A few of: a piece put in, a span taken out, said twice or moved, a byte changed, the end cut off, another text's end. */
function mutated(random: Random, text: string, others: readonly string[]): string {
  let result = text
  for (let left = Math.floor(random() * 4); left > 0; left--) {
    const at = Math.floor(random() * (result.length + 1))
    const to = Math.min(result.length, at + 1 + Math.floor(random() ** 3 * 40))
    const [before, span, after] = [result.slice(0, at), result.slice(at, to), result.slice(to)]
    const dice = random()
    if (dice < 0.4) result = before + among(random, pieces) + result.slice(at)
    else if (dice < 0.55) result = before + after
    else if (dice < 0.65) result = before + span + span + after
    else if (dice < 0.75)
      result = before + String.fromCharCode(Math.floor(random() * 256)) + result.slice(at + 1)
    else if (dice < 0.82) result = before + among(random, pieces) + after
    else if (dice < 0.88) result = before + (random() < 0.5 ? span.toUpperCase() : span.toLowerCase()) + after
    else if (dice < 0.93) result = before
    else {
      const other = among(random, others)
      result = before + other.slice(Math.floor(random() * other.length))
    }
  }
  return result
}

/** A stream of requests, most of which are nearly fine. */
export function requestsOf(random: Random): string {
  const kind = random()
  const seed = Math.floor(random() * 0x7fffffff)
  if (kind < 0.4) return fc.sample(requestText, { numRuns: 1, seed })[0] ?? ''
  if (kind < 0.9) return mutated(random, among(random, hostileRequests), hostileRequests)
  const few = Array.from({ length: 1 + Math.floor(random() * 3) }, () => among(random, hostileRequests))
  return mutated(random, few.join(''), hostileRequests)
}

export interface AnswerInput {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly text: string
}

const statuses = [
  '200 OK',
  '200',
  '204 No Content',
  '304 Not Modified',
  '404 Not Found',
  '500 Oops',
  '206 Partial',
  '301 Moved',
]
const fields = [
  'X: y',
  'Server: z',
  'Connection: close',
  'Connection: keep-alive',
  'Set-Cookie: a=b',
  'Content-Type: text/html; charset=utf-8',
  'Date: now',
  'X-Empty:',
  'Trailer: X-Sum',
]
const bodies: readonly (readonly [string, string])[] = [
  ['Content-Length: 5', 'hello'],
  ['Content-Length: 0', ''],
  ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ['Transfer-Encoding: chunked', '3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ['X-None: 1', 'until the end'],
]

function answerOf(random: Random): string {
  const [framing, body] = among(random, bodies)
  const lines = Array.from({ length: Math.floor(random() * 4) }, () => among(random, fields))
  const hint = random() < 0.1 ? 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' : ''
  const version = random() < 0.1 ? '0' : '1'
  return `${hint}HTTP/1.${version} ${among(random, statuses)}\r\n${[...lines, framing].join('\r\n')}\r\n\r\n${body}`
}

/** An answer, most of which are nearly fine, and the method of the request. */
export function answersOf(random: Random): AnswerInput {
  const dice = random()
  const method = dice < 0.7 ? 'GET' : dice < 0.85 ? 'HEAD' : 'POST'
  const text = random() < 0.5 ? answerOf(random) : among(random, hostileAnswers)
  return { method, text: mutated(random, text, hostileAnswers) }
}
