import { type Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly instance: string | undefined
  readonly method: string
  /** When it was sent, and when the answer was there; `performance.now()`. */
  readonly sentAt: number
  readonly at: number
  readonly error?: string
}

/** What a sender knows of its answer. */
export type Sent = Omit<Answer, 'at' | 'sentAt'>

/** Open-loop load: `rate` requests a second whatever the answers do. Every answer and every failure is kept. */
export class Load {
  readonly answers: Answer[] = []
  readonly #timer: NodeJS.Timeout
  #open = 0
  #sent = 0

  constructor(rate: number, send: (number: number) => Promise<Sent>) {
    const start = performance.now()
    // Catches up after a late timer: the rate is a promise, not a wish.
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - start) * rate) / 1000)
      while (this.#sent < due) {
        this.#sent += 1
        this.#open += 1
        void this.#one(send(this.#sent))
      }
    }, 5)
  }

  async #one(sending: Promise<Sent>): Promise<void> {
    const sentAt = performance.now()
    const answer = await sending.catch(error => ({
      status: 0,
      instance: undefined,
      method: '?',
      error: String(error),
    }))
    this.#open -= 1
    this.answers.push({ ...answer, sentAt, at: performance.now() })
  }

  get failed(): readonly Answer[] {
    return this.answers.filter(answer => answer.status !== 200)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const deadline = performance.now() + 20_000
    while (this.#open > 0 && performance.now() < deadline)
      await new Promise(resolve => setTimeout(resolve, 10))
    if (this.#open > 0) throw new Error(`${this.#open} requests never ended`)
  }
}

/** Sends one request through a gateway and reads who answered. */
export function throughGateway(agent: Agent, gateway: string, host: string) {
  return (number: number, method = 'GET'): Promise<Sent> =>
    new Promise(resolve => {
      const fail = (error: Error): void =>
        resolve({ status: 0, instance: undefined, method, error: String(error) })
      const options = { agent, method, headers: { host }, timeout: 15_000 }
      const sent = request(`${gateway}/orders/${number}`, options, response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => {
          const instance = /"instance":"([^"]+)"/.exec(text)?.[1]
          const status = response.statusCode ?? 0
          resolve({ status, instance, method, ...(status === 200 ? {} : { error: text.slice(0, 300) }) })
        })
        response.on('error', fail)
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer in 15 s')))
      sent.on('error', fail)
      sent.end(method === 'POST' ? '{}' : undefined)
    })
}
