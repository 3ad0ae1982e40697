import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { formatHostPort, type GrpcCheck } from '@portolan/core'
import type { Asker, Connection } from './connection.ts'
import { dial } from './dial.ts'
import { failing, lostReason } from './findings.ts'
import { healthRequest, maxAnswerBytes } from './grpc-message.ts'
import { judgeGrpc } from './grpc-verdict.ts'
import type { Plan } from './plan.ts'
import type { Finding } from './probe.ts'

const path = '/grpc.health.v1.Health/Check'

/** One HTTP/2 connection (RFC 9113) to an instance: one call at a time, and idle in between. */
export class GrpcConnection implements Connection<GrpcCheck> {
  #plan: Plan<GrpcCheck>
  readonly #host: string
  readonly #socket: Socket
  readonly #idleLost: (connection: Connection<GrpcCheck>) => void
  #session: ClientHttp2Session | undefined
  #asker: Asker | undefined
  #begun = 0
  #asked = 0
  #heard = false
  #closed = false

  constructor(
    host: string,
    plan: Plan<GrpcCheck>,
    context: () => SecureContext,
    idleLost: (connection: Connection<GrpcCheck>) => void,
  ) {
    this.#plan = plan
    this.#host = host
    this.#idleLost = idleLost
    const { port, tls } = plan
    this.#socket = dial(
      { host, port, tls, protocol: 'h2', context },
      { connected: () => this.#open(), failed: finding => this.#settle(finding) },
    )
  }

  get plan(): Plan<GrpcCheck> {
    return this.#plan
  }

  get waitingFor(): string {
    if (this.#session !== undefined) return 'connected, no answer to grpc.health.v1.Health/Check'
    return this.#plan.tls === undefined ? 'no connection' : 'no TLS connection'
  }

  ask(plan: Plan<GrpcCheck>, asker: Asker): void {
    this.#plan = plan
    this.#asker = asker
    this.#heard = false
    this.#asked++
    this.#begun = performance.now()
    if (this.#session !== undefined) this.#call(this.#session)
  }

  destroy(): void {
    this.#closed = true
    this.#asker = undefined
    this.#session?.destroy()
    this.#socket.destroy()
  }

  #open(): void {
    if (this.#closed) return
    const { instance, port, tls } = this.#plan
    const name = formatHostPort(instance.host ?? this.#host.replace(/%.*$/, ''), port)
    const session = connect(`${tls === undefined ? 'http' : 'https'}://${name}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false },
    })
    this.#session = session
    session.on('error', error => this.#lost(error))
    session.on('close', () => this.#lost(undefined))
    session.on('goaway', () => {
      if (this.#asker === undefined) this.#lost(undefined)
    })
    this.#call(session)
  }

  #call(session: ClientHttp2Session): void {
    if (session.closed || session.destroyed) {
      setImmediate(() => this.#lost(undefined))
      return
    }
    const { check } = this.#plan
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      'grpc-timeout': `${Math.ceil(check.timeoutMs)}m`,
      'user-agent': 'portolan-health',
      te: 'trailers',
    })
    this.#receive(stream)
    stream.end(healthRequest(check.service))
  }

  #receive(stream: ClientHttp2Stream): void {
    const head = new Map<string, string>()
    const chunks: Buffer[] = []
    let size = 0
    const take = (headers: Readonly<Record<string, string | string[] | number | undefined>>): void => {
      this.#heard = true
      for (const [name, value] of Object.entries(headers)) head.set(name, String(value))
    }
    stream.on('response', take)
    stream.on('trailers', take)
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxAnswerBytes) this.#fail('answered with more than any health answer has')
      else chunks.push(chunk)
    })
    // What it means is said by the close, which always comes.
    stream.on('error', () => {})
    stream.on('close', () => this.#judge(stream, head, Buffer.concat(chunks)))
  }

  #judge(stream: ClientHttp2Stream, head: ReadonlyMap<string, string>, body: Buffer): void {
    if (this.#closed || this.#asker === undefined) return
    const { rstCode } = stream
    if (!head.has(':status')) {
      if (rstCode === constants.NGHTTP2_REFUSED_STREAM) this.#lost(undefined)
      else if (!this.#session?.destroyed) this.#fail(`broke the call off (HTTP/2 error ${rstCode})`)
      // Else the session says why.
      return
    }
    const grpcStatus = head.get('grpc-status')
    const answer = {
      httpStatus: Number(head.get(':status')),
      contentType: head.get('content-type') ?? '',
      grpcStatus: grpcStatus !== undefined && /^\d{1,3}$/.test(grpcStatus) ? Number(grpcStatus) : undefined,
      message: decoded(head.get('grpc-message') ?? ''),
      body,
    }
    this.#settle(judgeGrpc(this.#plan.check, answer, performance.now() - this.#begun), true)
  }

  #lost(error: NodeJS.ErrnoException | undefined): void {
    if (this.#closed) return
    const asker = this.#asker
    if (asker === undefined) {
      this.destroy()
      this.#idleLost(this)
    } else if (!this.#heard && this.#asked > 1) {
      this.destroy()
      asker.stale()
    } else if (error?.code === 'ERR_HTTP2_ERROR') this.#fail('does not speak HTTP/2: is that a gRPC port?')
    else this.#fail(`${lostReason(error)} without an answer`)
  }

  #fail(what: string): void {
    this.#settle(failing(`it ${what}`, performance.now() - this.#begun))
  }

  #settle(finding: Finding, reusable = false): void {
    const asker = this.#asker
    this.#asker = undefined
    const keeps = reusable && this.#session?.closed === false
    if (!keeps) this.destroy()
    asker?.found(finding, keeps)
  }
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: percent-encoded; what is malformed stays as it is. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message)
  } catch {
    return message
  }
}
