import { describe, expect, it } from 'vitest'
import { Outbox } from './outbox.ts'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function sender(log: string[]) {
  return { deliver: (message: string) => void log.push(message) }
}

describe('an outbox', () => {
  it('delivers in order, all by the end of the turn', async () => {
    const [log, outbox] = [[] as string[], new Outbox()]
    const [a, b] = [sender(log), sender(log)]
    outbox.post(a, 'a1')
    outbox.post(b, 'b1')
    outbox.post(a, 'a2')
    expect(log).toEqual([])
    await turn()
    expect(log).toEqual(['a1', 'b1', 'a2'])
    outbox.post(b, 'b2')
    await turn()
    expect(log).toEqual(['a1', 'b1', 'a2', 'b2'])
  })

  it('delivers groups of 16 before that, and what is left afterwards', async () => {
    const [log, outbox] = [[] as string[], new Outbox()]
    const messages = Array.from({ length: 40 }, (_, index) => String(index))
    for (const message of messages) outbox.post(sender(log), message)
    expect(log).toEqual(messages.slice(0, 32))
    await turn()
    expect(log).toEqual(messages)
  })

  it('delivers at once what somebody does not want to wait for', () => {
    const [log, outbox] = [[] as string[], new Outbox()]
    outbox.post(sender(log), '1')
    outbox.flush()
    expect(log).toEqual(['1'])
    outbox.flush()
    expect(log).toEqual(['1'])
  })

  it.each([1, 2, 20])('takes what is posted while it delivers, and loses nothing: %i each', async more => {
    const [log, outbox] = [[] as string[], new Outbox()]
    const asked = ['a', 'b', 'c']
    const asks = {
      deliver(message: string): void {
        log.push(message)
        for (let i = 0; i < more; i++) outbox.post(sender(log), `${message}${i}`)
      },
    }
    for (const message of asked) outbox.post(asks, message)
    await turn()
    await turn()
    const answers = asked.flatMap(message => Array.from({ length: more }, (_, i) => `${message}${i}`))
    expect(log.toSorted()).toEqual([...asked, ...answers].toSorted())
    for (const asker of asked) {
      const own = (message: string): boolean => message.startsWith(asker)
      expect(log.filter(own)).toEqual([asker, ...answers.filter(own)])
    }
  })
})
