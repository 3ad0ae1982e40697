import { describe, expect, it } from 'vitest'
import { readText } from './sources.ts'

/** The functions that a page walks through. */
function stepsOf(page: string) {
  return [...readText(page).matchAll(/`(packages\/[a-z/-]+\.ts)#([A-Za-z]+)`/g)].map(match => ({
    path: match[1] ?? '',
    name: match[2] ?? '',
  }))
}

/** Where a function, method or class of that name is defined; -1 when it is not. */
function definedAt(path: string, name: string): number {
  const pattern = new RegExp(
    `^(export (async )?function ${name}\\(|function ${name}\\(|export class ${name}\\b|  #?${name}\\()`,
    'm',
  )
  return readText(path).search(pattern)
}

/** Who calls whom along the way: caller's file, caller, and the text of the call within the caller's body. */
const calls: readonly (readonly [string, string, string])[] = [
  ['gateway.ts', 'openGateway', 'new ClientConnection('],
  ['gateway.ts', 'openGateway', 'router.route('],
  ['gateway.ts', 'openGateway', 'services.get('],
  ['request-reader.ts', 'read', '#consume('],
  ['request-reader.ts', 'consume', '#readHead('],
  ['request-reader.ts', 'readHead', 'parseRequestHead('],
  ['request-reader.ts', 'readHead', '.headRead('],
  ['client-connection.ts', 'headRead', '#startRequest('],
  ['client-connection.ts', 'startRequest', '.admit('],
  ['client-connection.ts', 'startRequest', 'writeOnwardHead('],
  ['client-connection.ts', 'startRequest', '#exchange.open('],
  ['admission.ts', 'admit', '#wayOf('],
  ['admission.ts', 'admit', '#filter('],
  ['admission.ts', 'wayOf', '#route('],
  ['admission.ts', 'filter', '.pass('],
  ['onward-head.ts', 'writeOnwardHead', 'writeRequestHead('],
  ['exchange.ts', 'open', '#begin('],
  ['exchange.ts', 'begin', '#attempt('],
  ['exchange.ts', 'attempt', '#attempts.next('],
  ['attempts.ts', 'next', '#stay?.take('],
  ['attempts.ts', 'next', 'balancer.pick('],
  ['attempts.ts', 'next', '.use('],
  ['attempts.ts', 'use', '#connect('],
  ['attempts.ts', 'use', '.elsewhere('],
  ['attempts.ts', 'use', '#wait('],
  ['attempts.ts', 'connect', '.take('],
  ['exchange.ts', 'attempt', '#proceed('],
  ['exchange.ts', 'proceed', '#send('],
  ['upstream-connection.ts', 'read', '#reader.read('],
  ['response-reader.ts', 'readHead', '#readHeads('],
  ['response-reader.ts', 'readHead', '#readBody('],
  ['response-reader.ts', 'readHeads', 'parseResponseHead('],
  ['response-reader.ts', 'readHeads', 'receiver.responded('],
  ['response-reader.ts', 'readBody', '#body.read('],
  ['upstream-connection.ts', 'responseProgressed', 'receiver.passOn('],
  ['exchange.ts', 'responded', '#answer.head('],
  ['answer.ts', 'head', 'writeResponseHead('],
  ['exchange.ts', 'finished', '#attempts.answered('],
  ['exchange.ts', 'finished', '#caller.exchangeDone('],
  ['attempts.ts', 'answered', 'judge('],
  ['attempts.ts', 'answered', '.release('],
]

/** The same of a question to DNS. */
const dnsCalls: readonly (readonly [string, string, string])[] = [
  ['open-dns-server.ts', 'openDnsServer', 'new Answerer('],
  ['open-dns-server.ts', 'openDnsServer', 'answerer.udp('],
  ['open-dns-server.ts', 'openDnsServer', 'answerer.tcp('],
  ['open-dns-server.ts', 'openDnsServer', 'openPair('],
  ['server/pair.ts', 'openPair', 'openTcp('],
  ['server/pair.ts', 'openPair', 'openUdp('],
  ['server/answerer.ts', 'udp', '#outside('],
  ['server/answerer.ts', 'udp', 'plainQuestion('],
  ['server/answerer.ts', 'udp', '#plain.get('],
  ['server/answerer.ts', 'udp', '#send('],
  ['server/answerer.ts', 'udp', 'readQuery('],
  ['server/answerer.ts', 'udp', '#answer('],
  ['server/answerer.ts', 'outside', 'trust.judge('],
  ['server/answerer.ts', 'answer', '#read.get('],
  ['server/answerer.ts', 'answer', 'replyTo('],
  ['server/answerer.ts', 'answer', '#forward('],
  ['server/answerer.ts', 'answer', '#encode('],
  ['server/answerer.ts', 'send', 'answering('],
  ['server/answerer.ts', 'send', '.next('],
  ['server/answerer.ts', 'encode', 'writeMessage('],
  ['server/answerer.ts', 'encode', 'outgoingOf('],
  ['answers/reply-to.ts', 'replyTo', 'meaningOf('],
  ['answers/reply-to.ts', 'serviceAnswers', 'candidatesOf('],
  ['answers/outgoing.ts', 'outgoingOf', 'drawOrder('],
  ['directory/open-directory.ts', 'receive', '#take('],
  ['directory/open-directory.ts', 'take', 'known.take('],
  ['directory/open-directory.ts', 'take', 'known.version ='],
  ['directory/open-directory.ts', 'letGoLater', '.due('],
]

/** A function's text: from its definition to the next line that closes at the same depth. */
function bodyOf(path: string, name: string): string {
  const text = readText(path)
  const start = definedAt(path, name)
  expect(start, `${path}#${name}`).toBeGreaterThanOrEqual(0)
  const indent = text.slice(start).startsWith('  ') ? '  ' : ''
  return text.slice(start, text.indexOf(`\n${indent}}\n`, start))
}

describe.each([
  { page: 'docs/life-of-a-request.md', room: 'packages/portolan/src/proxy', calls, unordered: 'openGateway' },
  {
    page: 'docs/life-of-a-question.md',
    room: 'packages/portolan/src/dns',
    calls: dnsCalls,
    unordered: 'udp',
  },
])('$page', ({ page, room, calls: told, unordered }) => {
  const steps = stepsOf(page)

  it('names functions that exist', () => {
    expect(steps.length).toBeGreaterThan(15)
    expect(steps.filter(({ path, name }) => definedAt(path, name) < 0)).toEqual([])
  })

  it('tells them in the order in which they call each other', () => {
    const missing = told.filter(([file, caller, call]) => !bodyOf(`${room}/${file}`, caller).includes(call))
    expect(missing).toEqual([])
    // Within one function, the page's order is the order of the calls.
    for (const [index, [file, caller, call]] of told.entries()) {
      const [nextFile, nextCaller, nextCall] = told[index + 1] ?? []
      if (nextFile !== file || nextCaller !== caller || nextCall === undefined) continue
      const body = bodyOf(`${room}/${file}`, caller)
      if (caller !== unordered) expect(body.indexOf(call), call).toBeLessThan(body.lastIndexOf(nextCall))
    }
  })
})
