import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { openUdp, type UdpOptions } from './udp.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function open(answer: UdpOptions['answer'], host = '127.0.0.1') {
  const failures: Error[] = []
  const udp = await openUdp({ listen: { host, port: 0 }, answer, failed: error => failures.push(error) })
  ends.push(() => udp.close())
  return { udp, failures }
}

/** Sends each text, and collects answers until there are `count`. */
async function ask(port: number, texts: readonly string[], count: number, host = '127.0.0.1') {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  ends.push(() => socket.close())
  const answers: string[] = []
  const enough = new Promise<void>(resolve => {
    socket.on('message', message => {
      answers.push(message.toString())
      if (answers.length === count) resolve()
    })
  })
  for (const text of texts) socket.send(text, port, host)
  await enough
  return answers
}

describe('openUdp', () => {
  it.each(['127.0.0.1', '::1'])('answers on %s, at once and later', async host => {
    const { udp } = await open(message => {
      if (message.toString() === 'mute') return undefined
      const bytes = Buffer.from(`re: ${message}`)
      return message.toString() === 'later' ? setTimeout(20, bytes) : bytes
    }, host)
    expect(await ask(udp.port, ['later', 'mute', 'now'], 2, host)).toEqual(['re: now', 're: later'])
  })

  it('tells where the client is', async () => {
    const { udp } = await open((_, address) => Buffer.from(address))
    expect(await ask(udp.port, ['x'], 1)).toEqual(['127.0.0.1'])
  })

  it('goes on after an answer that could not be made, or not be sent', async () => {
    const { udp, failures } = await open(message => {
      if (message.toString() === 'large') return Buffer.alloc(70_000)
      if (message.toString() === 'worse') throw new Error('never')
      return message.toString() === 'bad' ? Promise.reject(new Error('no')) : message
    })
    expect(await ask(udp.port, ['bad', 'large', 'worse', 'fine'], 1)).toEqual(['fine'])
    expect(failures.map(({ message }) => message)).toEqual(['no', 'never'])
  })

  it('sends nothing for what is answered after its end', async () => {
    let answerIt: (bytes: Buffer) => void = () => {}
    const { udp, failures } = await open(() => new Promise(resolve => (answerIt = resolve)))
    const socket = createSocket('udp4')
    ends.push(() => socket.close())
    socket.send('x', udp.port, '127.0.0.1')
    await expect.poll(() => answerIt.length).toBe(1)
    await udp.close()
    ends.shift()
    answerIt(Buffer.from('late'))
    await setTimeout(0)
    expect(failures).toEqual([])
  })

  it('says which address is taken, and what to do', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1')
    await once(taken, 'listening')
    ends.push(() => taken.close())
    const listen = { host: '127.0.0.1', port: taken.address().port }
    await expect(openUdp({ listen, answer: () => undefined, failed: () => {} })).rejects.toMatchObject({
      code: 'address_in_use',
      message: `127.0.0.1:${listen.port} is taken (UDP)`,
    })
  })
})
