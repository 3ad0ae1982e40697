import { type Endpoint, httpPort, type LocalBalancer, type Milliseconds } from '@portolan/core'
import { Counter, type Registry } from 'prom-client'
import { Agent, request } from 'undici'

/** So many may be asked about at once; then nobody can be asked. */
const mostAsking = 1024
const connectionsPerHook = 64
/** A refusal's body that is longer is left out. */
const longestBody = 16_384

/** Where to ask: a URL, or somebody of a service. */
export type HookTarget =
  | { readonly url: string }
  | { readonly balancer: () => LocalBalancer | undefined; readonly path: string }

export interface HookAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Of a refusal, one character a byte. */
  readonly body: string
}

/** Results by name, as the metric has them. */
const results = ['allowed', 'cached', 'refused', 'unavailable', 'let-through'] as const
export type AuthResult = (typeof results)[number]

/** Asks hooks whether requests may pass, over connections of one gateway's own. No redirect is followed. */
export class AuthHooks {
  readonly counts: Record<AuthResult, number> = {
    allowed: 0,
    cached: 0,
    refused: 0,
    unavailable: 0,
    'let-through': 0,
  }
  readonly #agent = new Agent({ connections: connectionsPerHook, pipelining: 1, keepAliveTimeout: 4000 })
  #asking = 0

  /**
   * @throws whatever kept it from an answer
   */
  async ask(
    target: HookTarget,
    headers: Readonly<Record<string, string | string[]>>,
    timeoutMs: Milliseconds,
    cancel: AbortSignal,
  ): Promise<HookAnswer> {
    if (this.#asking >= mostAsking) throw new Error('too many ask already')
    this.#asking++
    // Not AbortSignal.any with AbortSignal.timeout: the garbage collector may take the latter away before its time.
    const patience = new AbortController()
    const giveUp = (): void => patience.abort()
    const timer = setTimeout(giveUp, timeoutMs)
    cancel.addEventListener('abort', giveUp, { once: true })
    if (cancel.aborted) giveUp()
    try {
      return 'url' in target
        ? await this.#get(target.url, headers, patience.signal)
        : await this.#getFrom(target.balancer(), target.path, headers, patience.signal)
    } finally {
      clearTimeout(timer)
      cancel.removeEventListener('abort', giveUp)
      this.#asking--
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #getFrom(
    balancer: LocalBalancer | undefined,
    path: string,
    headers: Readonly<Record<string, string | string[]>>,
    signal: AbortSignal,
  ): Promise<HookAnswer> {
    const endpoint = balancer?.pick()
    if (balancer === undefined || endpoint === undefined) throw new Error('the service has no instance')
    const from = performance.now()
    try {
      const answer = await this.#get(`${originOf(endpoint)}${path}`, headers, signal)
      if (answer.status >= 500) balancer.failed(endpoint, 'response', answer.status)
      else balancer.succeeded(endpoint, performance.now() - from)
      return answer
    } catch (thrown) {
      if (signal.aborted) balancer.cancelled(endpoint)
      else balancer.failed(endpoint, 'broken')
      throw thrown
    }
  }

  async #get(
    url: string,
    headers: Readonly<Record<string, string | string[]>>,
    signal: AbortSignal,
  ): Promise<HookAnswer> {
    const answer = await request(url, { dispatcher: this.#agent, headers, signal })
    const { statusCode: status, body } = answer
    if (status !== 401 && status !== 403) {
      await body.dump({ limit: longestBody })
      return { status, headers: answer.headers, body: '' }
    }
    const pieces: Buffer[] = []
    let size = 0
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length
      if (size > longestBody) break
      pieces.push(piece)
    }
    // Half of it would be worse than nothing.
    return {
      status,
      headers: answer.headers,
      body: size > longestBody ? '' : Buffer.concat(pieces).toString('latin1'),
    }
  }
}

function originOf({ instance: { addresses, ports } }: Endpoint): string {
  const port = httpPort(ports)
  const [address = ''] = addresses
  if (port === undefined || port.tls) throw new Error('the instance has no port that speaks HTTP without TLS')
  return `http://${address.includes(':') ? `[${address}]` : address}:${port.number}`
}

export function exportAuthMetrics({ counts }: AuthHooks, registry: Registry): void {
  new Counter({
    name: 'portolan_gateway_auth_total',
    help: 'Requests that somebody else was asked about, by what came of it',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset()
      for (const result of results) this.inc({ result }, counts[result])
    },
  })
}
