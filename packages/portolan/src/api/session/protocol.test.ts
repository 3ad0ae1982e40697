import { readFileSync } from 'node:fs'
import type { ClientMessage, ServerMessage } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { isRequest, parseRequest, requestTypes } from './requests.ts'
import { closeCodes } from './session.ts'

const page = readFileSync(new URL('../../../../../docs/protocol.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(match => match[1] ?? '')
const typed = examples.map(text => JSON.parse(text) as ClientMessage | ServerMessage)

/** Every field that a server's message may have; the compiler keeps the list of types whole. */
const serverFields: Readonly<Record<ServerMessage['type'], readonly string[]>> = {
  welcome: ['protocol', 'session', 'epoch', 'pingMs', 'leaseMs'],
  done: ['seq', 'incarnation', 'cursor'],
  failed: ['seq', 'code', 'message', 'hint', 'retryable'],
  snapshot: ['namespace', 'service', 'cursor', 'instances'],
  delta: ['namespace', 'service', 'cursor', 'put', 'gone'],
  routes: ['table'],
  services: ['services', 'put', 'gone'],
  share: ['namespace', 'service', 'qps', 'burst', 'tokens'],
  'may-stop': ['namespace', 'service', 'id', 'acknowledged'],
}

describe('docs/protocol.md', () => {
  it('shows every message, and none that is gone', () => {
    const shown = [...new Set(typed.map(({ type }) => type))].sort()
    expect(shown).toEqual([...requestTypes, ...Object.keys(serverFields)].sort())
  })

  it.each(examples)('shows a message that the server reads or could send: %.60s', text => {
    const message = JSON.parse(text) as { type: string }
    if (message.type in serverFields) {
      const { type, ...fields } = message
      const known = serverFields[type as ServerMessage['type']]
      expect(known).toEqual(expect.arrayContaining(Object.keys(fields)))
    } else {
      const request = parseRequest(text)
      expect(isRequest(request) ? request.type : request.fault.message).toBe(message.type)
    }
  })

  it('explains every close code of ours', () => {
    const explained = [...page.matchAll(/^\| (\d{4})/gm)].map(match => Number(match[1]))
    for (const code of Object.values(closeCodes)) expect(explained).toContain(code)
  })
})
