import { once } from 'node:events'
import type { ClientMessage, ServerMessage } from '@portolan/core'
import { type ClientOptions, WebSocket } from 'ws'

type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>

/** A session's other end for tests, with nothing of the client library in it. */
export interface SessionClient {
  readonly websocket: WebSocket
  /** Everything that came, in order. */
  readonly received: readonly ServerMessage[]
  send(message: ClientMessage): void
  /** The first message of that type which `accept` takes, come or to come; it is taken out of the list. */
  next<Type extends ServerMessage['type']>(
    type: Type,
    accept?: (message: MessageOf<Type>) => boolean,
  ): Promise<MessageOf<Type>>
  /** Sends a request and awaits its `done` or `failed`. */
  ask(
    message: Extract<ClientMessage, { readonly seq: number }>,
  ): Promise<MessageOf<'done'> | MessageOf<'failed'>>
  readonly closed: Promise<number>
  close(): Promise<void>
}

/** Connects without saying hello. */
export async function openSocket(url: string, options: ClientOptions = {}): Promise<SessionClient> {
  const websocket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/session`, options)
  const received: ServerMessage[] = []
  const waiting = new Set<() => void>()
  const closed = new Promise<number>(resolve => websocket.on('close', resolve))
  websocket.on('message', data => {
    received.push(JSON.parse(String(data)) as ServerMessage)
    for (const look of waiting) look()
  })
  await once(websocket, 'open')

  const next: SessionClient['next'] = (type, accept = () => true) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const index = received.findIndex(message => message.type === type && accept(message as never))
        if (index < 0) return
        waiting.delete(look)
        resolve(received.splice(index, 1)[0] as never)
      }
      waiting.add(look)
      void closed.then(code => reject(new Error(`closed with ${code} before ${type}`)))
      look()
    })

  return {
    websocket,
    received,
    closed,
    next,
    send: message => websocket.send(JSON.stringify(message)),
    ask(message) {
      websocket.send(JSON.stringify(message))
      const mine = (answer: { seq?: number }) => answer.seq === message.seq
      return Promise.race([next('done', mine), next('failed', mine)])
    },
    async close() {
      websocket.close()
      await closed
    },
  }
}

/** Connects and says hello. */
export async function openSession(
  url: string,
  options: ClientOptions & { readonly resume?: string; readonly kind?: 'sdk' | 'proxy' | 'agent' } = {},
): Promise<SessionClient & { readonly welcome: MessageOf<'welcome'> }> {
  const { resume, kind = 'sdk', ...socket } = options
  const client = await openSocket(url, socket)
  client.send({ type: 'hello', protocol: 1, kind, name: 'test', ...(resume === undefined ? {} : { resume }) })
  return Object.assign(client, { welcome: await client.next('welcome') })
}
