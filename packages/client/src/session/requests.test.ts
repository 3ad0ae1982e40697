import type { ClientMessage } from '@portolan/core'
import { describe, expect, test } from 'vitest'
import { VirtualTime } from '../testing/virtual-time.ts'
import { Requests } from './requests.ts'

function start() {
  const time = new VirtualTime()
  const sent: ClientMessage[] = []
  const requests = new Requests(time, 1000)
  const ask = (service: string) =>
    requests.send({ type: 'watch', service }, message => {
      sent.push(message)
    })
  return { time, sent, requests, ask }
}

describe('requests', () => {
  test('are matched by number, in whatever order answers come', async () => {
    const { sent, requests, ask } = start()
    const [a, b] = [ask('a'), ask('b')]
    expect(sent).toMatchObject([
      { seq: 1, service: 'a' },
      { seq: 2, service: 'b' },
    ])
    requests.settle({ type: 'done', seq: 2, cursor: 'e.2' })
    requests.settle({ type: 'done', seq: 1, cursor: 'e.1' })
    await expect(a).resolves.toMatchObject({ cursor: 'e.1' })
    await expect(b).resolves.toMatchObject({ cursor: 'e.2' })
    expect(requests.size).toBe(0)
  })

  test('fail with what the registry says', async () => {
    const { requests, ask } = start()
    const asked = ask('a')
    requests.settle({
      type: 'failed',
      seq: 1,
      code: 'forbidden',
      message: 'no',
      hint: 'ask',
      retryable: false,
    })
    await expect(asked).rejects.toMatchObject({ code: 'forbidden', hint: 'ask', retryable: false })
  })

  test('drop answers that nobody waits for', async () => {
    const { time, requests, ask } = start()
    requests.settle({ type: 'done', seq: 7 })
    requests.settle({ type: 'failed', code: 'internal', message: 'what?', retryable: false })
    const asked = ask('a')
    time.advance(1000)
    await expect(asked).rejects.toMatchObject({ code: 'request_timeout', retryable: true })
    requests.settle({ type: 'done', seq: 1 })
    expect(requests.size).toBe(0)
  })

  test('end with the connection, those asked later too', async () => {
    const { time, requests, ask } = start()
    const asked = ask('a')
    const fault = Object.assign(new Error('over'), { code: 'session_closed' }) as never
    requests.end(fault)
    await expect(asked).rejects.toBe(fault)
    await expect(ask('b')).rejects.toBe(fault)
    expect(time.pending).toBe(0)
  })
})
