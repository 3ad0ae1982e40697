import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

const connections = 8

export interface Counts {
  readonly sent: number
  readonly passed: number
  readonly limited: number
  /** Of those, how many said when to come back. */
  readonly withRetryAfter: number
  /** Answered otherwise. */
  readonly other: number
}

/** Requests to one gateway at a rate that does not ask how they are answered, over a few pipelined connections. */
export class CountingLoad {
  readonly #sockets: Socket[] = []
  readonly #request: string
  readonly #timer: NodeJS.Timeout
  #perSecond = 0
  #since = 0
  #due = 0
  #counts = { sent: 0, passed: 0, limited: 0, withRetryAfter: 0, other: 0 }
  #sentAt = performance.now()
  /** How late the timer has been at most since the rate was set. */
  latestMs = 0
  broken = 0

  constructor(port: number, host: string) {
    this.#request = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    for (let count = 0; count < connections; count++) {
      const socket = connect(port, '127.0.0.1').setNoDelay(true)
      let rest = ''
      socket.on('data', chunk => {
        rest = this.#read(rest + chunk.toString('latin1'))
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        this.broken += 1
      })
      this.#sockets.push(socket)
    }
    this.#timer = setInterval(() => this.#send(), 4)
  }

  get counts(): Counts {
    return { ...this.#counts }
  }

  /** From now on so many. What should have been sent until now is sent first, however late the timer is. */
  rate(perSecond: number): void {
    this.#send()
    this.#perSecond = perSecond
    this.#since = performance.now()
    this.latestMs = 0
    this.#due = 0
  }

  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.destroy()
  }

  #send(): void {
    const now = performance.now()
    this.latestMs = Math.max(this.latestMs, now - this.#sentAt)
    this.#sentAt = now
    const due = Math.floor(((now - this.#since) * this.#perSecond) / 1000)
    for (; this.#due < due; this.#due++) {
      this.#sockets[this.#counts.sent % connections]?.write(this.#request, 'latin1')
      this.#counts.sent += 1
    }
  }

  /** Counts whole heads; bodies are short and hold none. Returns what may be the beginning of another one. */
  #read(text: string): string {
    const heads = text.split('\r\n\r\n')
    const rest = heads.pop() ?? ''
    for (const head of heads) {
      const status = /HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]
      // The end of a chunked body looks like that, too.
      if (status === undefined) continue
      if (status === '200') this.#counts.passed += 1
      else if (status !== '429') this.#counts.other += 1
      else {
        this.#counts.limited += 1
        if (/^Retry-After: [1-9]\d*\r?$/m.test(head)) this.#counts.withRetryAfter += 1
      }
    }
    return rest
  }
}
