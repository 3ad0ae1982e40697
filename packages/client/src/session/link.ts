import {
  type ClientMessage,
  Fault,
  type Milliseconds,
  protocolVersion,
  type ServerMessage,
} from '@portolan/core'
import type { Cancel, Runtime } from '../runtime.ts'
import { decodeServerMessage } from './decode.ts'
import { type Done, faultOf, type Request, Requests } from './requests.ts'
import { heard, type Silence, silenceLimit, startSilence, tick } from './silence.ts'
import type { DialOptions, Wire } from './wire.ts'

type Hello = Extract<ClientMessage, { readonly type: 'hello' }>
type Welcome = Extract<ServerMessage, { readonly type: 'welcome' }>

/** One connection that a registry has welcomed. A session goes through many of them. */
export interface Link {
  readonly url: string
  readonly welcome: Welcome
  /** @throws Fault what the registry answered, `request_timeout`, or why the connection ended */
  request(request: Request): Promise<Done>
  /** A message that nobody answers; dropped when the connection is over. */
  send(message: ClientMessage): void
}

/** What a link tells its session. `down` comes exactly once, `up` and `receive` only before it. */
export interface LinkEvents {
  up(link: Link): void
  receive(message: ServerMessage): void
  down(fault: Fault): void
}

export interface LinkOptions extends DialOptions {
  readonly url: string
  readonly hello: Omit<Hello, 'type' | 'protocol'>
  /** How long a request may wait for its answer. */
  readonly requestMs: Milliseconds
}

/** How a session ends a link: with a goodbye, or by cutting it. */
export interface LinkHandle {
  close(): void
  cut(fault: Fault): void
}

/** Opens a connection: dial, `hello`, `welcome`, then requests and messages until silence or its end. */
export function openLink(options: LinkOptions, runtime: Runtime, events: LinkEvents): LinkHandle {
  const requests = new Requests(runtime.timers, options.requestMs)
  let stopWaiting: Cancel = () => {}
  let silence: Silence = startSilence(runtime.clock.now())
  let pingMs: Milliseconds = 0
  let ended = false

  const write = (message: ClientMessage) => wire.send(JSON.stringify(message))

  const watchSilence = () => {
    stopWaiting = runtime.timers.after(
      pingMs,
      () => {
        silence = tick(silence, runtime.clock.now(), pingMs)
        if (silence.forMs < silenceLimit(pingMs)) return watchSilence()
        wire.cut(silent(silence.forMs))
      },
      'background',
    )
  }

  const receive = (message: ServerMessage) => {
    if (message.type === 'done') return requests.settle(message)
    if (message.type === 'failed' && (message.seq !== undefined || pingMs > 0)) {
      return requests.settle(message)
    }
    if (message.type === 'failed') return wire.cut(faultOf(message))
    if (message.type !== 'welcome') return events.receive(message)
    if (pingMs > 0) return
    if (message.protocol !== protocolVersion) return wire.cut(otherProtocol(message.protocol))
    pingMs = Math.max(1, message.pingMs)
    stopWaiting()
    silence = startSilence(runtime.clock.now())
    watchSilence()
    events.up({
      url: options.url,
      welcome: message,
      request: request => requests.send(request, write),
      send: write,
    })
  }

  const wire: Wire = runtime.dial(options.url, options, {
    opened() {
      stopWaiting = runtime.timers.after(options.timeoutMs, () => wire.cut(noWelcome(options.timeoutMs)))
      write({ type: 'hello', protocol: protocolVersion, ...options.hello })
    },
    received(text) {
      if (ended) return
      silence = heard(silence)
      try {
        const message = decodeServerMessage(text)
        if (message !== undefined) receive(message)
      } catch (thrown) {
        // A frame that we cannot digest must cost this connection, never the process.
        wire.cut(thrown instanceof Fault ? thrown : indigestible(thrown))
      }
    },
    pinged(intervalMs) {
      silence = heard(silence)
      if (pingMs > 0 && intervalMs !== undefined) pingMs = intervalMs
    },
    closed(fault) {
      ended = true
      stopWaiting()
      requests.end(connectionOver(fault))
      events.down(fault)
    },
  })

  return { close: () => wire.close(), cut: fault => wire.cut(fault) }
}

function silent(ms: Milliseconds): Fault {
  return new Fault('registry_unreachable', `silent for ${Math.round(ms)} ms`, {
    source: 'upstream',
    retryable: true,
  })
}

function noWelcome(ms: Milliseconds): Fault {
  return new Fault('registry_unreachable', `no welcome within ${ms} ms`, {
    source: 'upstream',
    retryable: true,
  })
}

function otherProtocol(protocol: number): Fault {
  return new Fault(
    'protocol_unsupported',
    `speaks session protocol ${protocol}, this client ${protocolVersion}`,
    { source: 'upstream', hint: 'use releases of Portolan that go together' },
  )
}

function indigestible(thrown: unknown): Fault {
  return new Fault('internal', 'a message of the registry could not be applied', {
    source: 'internal',
    retryable: true,
    cause: thrown,
  })
}

function connectionOver(fault: Fault): Fault {
  return new Fault('session_closed', `the connection to the registry ended: ${fault.message}`, {
    source: 'upstream',
    retryable: true,
    cause: fault,
  })
}
