import { get } from 'node:http'
import { WebSocket } from 'ws'

/** What one kind of conversation came to. */
export interface Tally {
  conversations: number
  messages: number
  /** Messages that did not come back, came twice or out of order; events missing from a stream. */
  lost: number
  /** Ends without a farewell: the instance was there, and the conversation was not. */
  cut: number
  firstFault?: string
}

export const emptyTally = (): Tally => ({ conversations: 0, messages: 0, lost: 0, cut: 0 })

export type Stop = () => void

/** So many messages, or events, at most; then another conversation begins, perhaps with an instance that is new. */
const longest = 300

/** Talks to whoever is there, again and again: numbered messages every 100 ms, of 100 bytes to 100 KB. */
export function talk(port: number, tally: Tally): Stop {
  let isOver = false
  let socket: WebSocket | undefined
  const begin = (): void => {
    if (isOver) return
    let sent = 0
    let back = 0
    const last = Math.ceil(Math.random() * longest)
    const own = new WebSocket(`ws://127.0.0.1:${port}/`)
    socket = own
    const timer = setInterval(() => {
      if (own.readyState !== WebSocket.OPEN || sent === last) return
      sent++
      own.send(`${sent}:${'x'.repeat(sent % 50 === 0 ? 100_000 : 100)}`)
    }, 100)
    own.on('open', () => tally.conversations++)
    own.on('message', data => {
      tally.messages++
      const number = Number.parseInt(String(data).slice(0, 12), 10)
      if (number !== back + 1) fault(tally, 'lost', `message ${number} after ${back}`)
      back = number
      if (back === last) own.close(1000)
    })
    own.on('error', error => fault(tally, 'cut', `socket: ${error.message}`))
    own.on('close', code => {
      clearInterval(timer)
      if (code !== 1001 && back !== last && !isOver)
        fault(tally, 'cut', `closed with ${code} after ${back} messages`)
      setTimeout(begin, 100)
    })
  }
  begin()
  return () => {
    isOver = true
    socket?.close(1000)
  }
}

/** Opens a socket and says nothing; goes to another instance only when its own takes leave. */
export function keepSilent(port: number, tally: Tally): Stop {
  let isOver = false
  let socket: WebSocket | undefined
  const begin = (): void => {
    if (isOver) return
    const own = new WebSocket(`ws://127.0.0.1:${port}/`)
    socket = own
    own.on('open', () => tally.conversations++)
    own.on('error', error => fault(tally, 'cut', `silent socket: ${error.message}`))
    own.on('close', code => {
      if (code !== 1001 && !isOver) fault(tally, 'cut', `silent socket closed with ${code}`)
      setTimeout(begin, 100)
    })
  }
  begin()
  return () => {
    isOver = true
    socket?.close(1000)
  }
}

/** Listens to a stream of numbered events, again and again. */
export function listen(port: number, tally: Tally): Stop {
  let isOver = false
  let leave: Stop = () => {}
  const begin = (): void => {
    if (isOver) return
    let last = 0
    let hasEnded = false
    const longEnough = Math.ceil(Math.random() * longest)
    let hasBegun = false
    let text = ''
    const request = get({ port, host: '127.0.0.1', path: '/events' }, response => {
      hasBegun = true
      tally.conversations++
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        const events = text.split('\n\n')
        text = events.pop() ?? ''
        for (const event of events) {
          if (event.startsWith('event: end')) hasEnded = true
          else if (event === `data: ${last + 1}`) last++
          else fault(tally, 'lost', `event ${event} after ${last}`)
          tally.messages++
        }
        if (last < longEnough) return
        hasEnded = true
        request.destroy()
      })
      response.on('error', () => {})
      response.on('close', () => {
        if (!hasEnded && !isOver) fault(tally, 'cut', `the stream broke off after ${last} events`)
        setTimeout(begin, 100)
      })
    })
    request.on('error', error => {
      // What has begun ends with the answer.
      if (hasBegun) return
      if (!isOver) fault(tally, 'cut', `stream: ${error.message}`)
      setTimeout(begin, 100)
    })
    leave = () => void request.destroy()
  }
  begin()
  return () => {
    isOver = true
    leave()
  }
}

function fault(tally: Tally, kind: 'lost' | 'cut', what: string): void {
  tally[kind]++
  tally.firstFault ??= what
}
