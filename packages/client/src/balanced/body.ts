import { Readable } from 'node:stream'
import { Fault } from '@portolan/core'

/** What a request may carry: everything that the WHATWG `fetch` takes, and Node's own streams. */
export type Body =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | URLSearchParams
  | Blob
  | FormData
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

/** A body in a shape that the pools send. */
export interface Payload {
  readonly bytes: string | Uint8Array | Readable | null
  /** What to say in `content-type` where the caller says nothing. */
  readonly contentType: string | undefined
  /** Whether it can be sent a second time. */
  readonly replayable: boolean
}

export const noPayload: Payload = { bytes: null, contentType: undefined, replayable: true }

/** @throws Fault `invalid_request` for what is no body */
export function payloadOf(body: Body | null | undefined): Payload | Promise<Payload> {
  if (body === null || body === undefined) return noPayload
  if (typeof body === 'string') return whole(body, 'text/plain;charset=UTF-8')
  if (body instanceof Uint8Array) return whole(body)
  if (body instanceof ArrayBuffer) return whole(new Uint8Array(body))
  if (ArrayBuffer.isView(body)) return whole(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  if (body instanceof URLSearchParams) {
    return whole(body.toString(), 'application/x-www-form-urlencoded;charset=UTF-8')
  }
  if (body instanceof Blob || body instanceof FormData) return encoded(body)
  if (body instanceof Readable) return streamed(body)
  if (isAsyncIterable(body)) return streamed(Readable.from(body, { objectMode: false }))
  throw new Fault('invalid_request', `a body cannot be ${describe(body)}`, {
    source: 'caller',
    hint: 'send JSON as body: JSON.stringify(value), with the header content-type: application/json',
  })
}

function whole(bytes: string | Uint8Array, contentType?: string): Payload {
  return { bytes, contentType, replayable: true }
}

function streamed(bytes: Readable): Payload {
  return { bytes, contentType: undefined, replayable: false }
}

/** The platform's own encoder: multipart boundaries and a blob's type are its business. */
async function encoded(body: Blob | FormData): Promise<Payload> {
  const response = new Response(body)
  const contentType = response.headers.get('content-type') ?? undefined
  return whole(new Uint8Array(await response.arrayBuffer()), contentType)
}

function isAsyncIterable(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function describe(body: unknown): string {
  return typeof body === 'object' ? 'a plain object' : `a ${typeof body}`
}
