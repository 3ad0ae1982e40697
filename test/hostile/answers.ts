import { expect } from 'vitest'
import type { RawClient } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { type Message, readMessages } from './messages.ts'

/** The whole answers that a client has got. @param isHead whether answer `index`, 1xx left out, is to HEAD */
export function answersIn(
  client: RawClient,
  isHead: (index: number) => boolean = () => false,
): readonly Message[] {
  let interims = 0
  const { messages, fault } = readMessages(client.received, client.ended, (start, index) => {
    const status = start.split(' ')[1] ?? ''
    if (status.startsWith('1')) interims++
    return status.startsWith('1') || status === '204' || status === '304' || isHead(index - interims)
  })
  expect(fault).toBeUndefined()
  return messages
}

/** `STATUS body` of an instance's answer, or `STATUS code` of the gateway's own. */
export function outcomeOf({ start, fields, body }: Message): string {
  const status = start.split(' ')[1] ?? ''
  const code = fields.find(([name]) => name === 'portolan-error')?.[1]
  return `${status} ${code ?? body}`
}
