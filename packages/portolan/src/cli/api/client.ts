import { setMaxListeners } from 'node:events'
import { Fault, type FaultCode } from '@portolan/core'
import { Agent, type Dispatcher, request } from 'undici'
import { type Invocation, type Io, textOption, usage } from '../command.ts'
import { readEvents, type ServerEvent } from './events.ts'

export interface ApiRequest {
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

/** The native API, as commands use it. Whatever goes wrong is a `Fault`, with the server's own code where it has one. */
export interface ApiClient {
  readonly url: string
  get<T>(path: string, query?: ApiRequest['query']): Promise<T>
  send<T>(method: 'PUT' | 'POST' | 'DELETE', path: string, asked?: ApiRequest): Promise<T>
  /** Event streams; ends when the server ends it. */
  events(path: string, query: ApiRequest['query'], lastEventId?: string): AsyncIterable<ServerEvent>
  close(): Promise<void>
}

export interface ApiClientOptions {
  readonly url: string
  readonly token: string | undefined
  readonly signal: AbortSignal
}

export const defaultUrl = 'http://127.0.0.1:7400'

/** The client that the global options and the environment ask for. */
function apiClientOf(invocation: Invocation, io: Io): ApiClient {
  const url = textOption(invocation, 'url') ?? io.env.PORTOLAN_URL ?? defaultUrl
  const token = textOption(invocation, 'token') ?? io.env.PORTOLAN_TOKEN
  // Several registries may be named: commands ask the first.
  return openApiClient({ url: url.split(',')[0]?.trim() ?? url, token, signal: io.signal })
}

/** Lends a client to `use`, and closes it behind it: an open connection would keep the process. */
export async function withApi<T>(
  invocation: Invocation,
  io: Io,
  use: (api: ApiClient) => Promise<T>,
): Promise<T> {
  const api = apiClientOf(invocation, io)
  try {
    return await use(api)
  } finally {
    await api.close()
  }
}

/** @throws Fault `invalid_request` when `url` is none */
function openApiClient({ url, token, signal }: ApiClientOptions): ApiClient {
  const base = baseOf(url)
  // Each request listens to it until after its answer: many at a time are no leak, which Node would warn of.
  setMaxListeners(0, signal)
  // A drain answers when it is over, and a quiet watch stays quiet: neither is a stalled connection.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5000 } })
  const headers = {
    'user-agent': 'portolan-cli',
    ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
  }

  const ask = async (method: Dispatcher.HttpMethod, path: string, asked: ApiRequest, more = {}) => {
    try {
      return await request(new URL(`${base}/api/v1/${path}${queryOf(asked.query)}`), {
        method,
        dispatcher: agent,
        signal,
        headers: {
          ...headers,
          ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...more,
        },
        body: asked.body === undefined ? null : JSON.stringify(asked.body),
      })
    } catch (thrown) {
      throw unreachable(base, thrown)
    }
  }
  const send = async <T>(method: Dispatcher.HttpMethod, path: string, asked: ApiRequest = {}): Promise<T> => {
    const { statusCode, body } = await ask(method, path, asked)
    const text = await body.text().catch((thrown: unknown) => {
      throw unreachable(base, thrown)
    })
    if (statusCode >= 400) throw refused(base, statusCode, text)
    return (text === '' ? undefined : parsed(base, text)) as T
  }

  return {
    url: base,
    get: (path, query) => send('GET', path, query === undefined ? {} : { query }),
    send,
    async *events(path, query, lastEventId) {
      const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      const asked = query === undefined ? {} : { query }
      const { statusCode, body } = await ask('GET', path, asked, { accept: 'text/event-stream', ...resume })
      if (statusCode >= 400) throw refused(base, statusCode, await body.text())
      try {
        yield* readEvents(body)
      } catch (thrown) {
        throw unreachable(base, thrown)
      }
    },
    close: () => agent.destroy(),
  }
}

function baseOf(url: string): string {
  const parsedUrl = URL.canParse(url) ? new URL(url) : undefined
  if (parsedUrl?.protocol === 'http:' || parsedUrl?.protocol === 'https:') return url.replace(/\/+$/, '')
  throw usage(`--url ${url}: not the address of a registry`, 'write http://HOST:PORT or https://HOST:PORT')
}

function queryOf(query: ApiRequest['query'] = {}): string {
  const said = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`
}

function parsed(base: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault('protocol_unsupported', `what answers at ${base} is no Portolan registry`, {
      source: 'upstream',
      hint: 'name the registry with --url or PORTOLAN_URL',
      cause,
    })
  }
}

/** The server's own words, where they are problem+json; else what can be said from outside. */
function refused(base: string, status: number, text: string): Fault {
  try {
    const { code, detail, hint, retryable } = JSON.parse(text) as Record<string, unknown>
    if (typeof code === 'string' && typeof detail === 'string') {
      const details = { source: status < 500 ? 'caller' : 'upstream', retryable: retryable === true } as const
      return new Fault(code as FaultCode, detail, typeof hint === 'string' ? { ...details, hint } : details)
    }
  } catch {
    // No JSON: somebody else answered.
  }
  return new Fault('request_failed', `${base} answered with status ${status}`, {
    source: 'upstream',
    hint: 'is there a Portolan registry? name it with --url or PORTOLAN_URL',
  })
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no registry answers',
  ENOTFOUND: 'the host is not known: no registry answers',
  EAI_AGAIN: 'the host cannot be looked up now: no registry answers',
  UND_ERR_CONNECT_TIMEOUT: 'nothing answers within 5 s',
}

/** Certificates of which nobody whom we trust knows. */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function unreachable(base: string, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const code = codeOf(thrown)
  if (untrusted.has(code)) {
    return new Fault('registry_unreachable', `the certificate of ${base} is not trusted (${code})`, {
      source: 'upstream',
      hint: 'NODE_EXTRA_CA_CERTS=ca.pem names the authorities to trust beside the known ones',
      cause: thrown,
    })
  }
  const reason = reasons[code] ?? `the connection failed (${code || String(thrown)})`
  return new Fault('registry_unreachable', `${reason} at ${base}`, {
    source: 'upstream',
    retryable: true,
    hint: 'start one with `portolan up`, or name another with --url or PORTOLAN_URL',
    cause: thrown,
  })
}

/** Where a name has several addresses, the error of each is inside one that has no code. */
function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return codeOf(thrown.errors[0])
  if (thrown instanceof Error && 'code' in thrown) return String(thrown.code)
  return ''
}
