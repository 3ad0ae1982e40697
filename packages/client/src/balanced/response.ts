import type { IncomingHttpHeaders } from 'node:http'
import { Duplex } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

type ResponseBody = ConstructorParameters<typeof Response>[0]

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * The platform's own `Response`, so that `instanceof Response` holds.
 * @throws RangeError, TypeError for a status or header that a `Response` cannot carry
 */
export function responseOf(
  status: number,
  statusText: string,
  headers: IncomingHttpHeaders,
  body: Uint8Array | ReadableStream<Uint8Array> | undefined,
): Response {
  const head = { status, statusText, headers: headersOf(headers) }
  if (body === undefined || bodiless.has(status)) return new Response(null, head)
  const encoding = headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return new Response(body as ResponseBody, head)
  const decoded = decode(encoding, body)
  return new Response((decoded ?? body) as ResponseBody, head)
}

function headersOf(headers: IncomingHttpHeaders): Record<string, string> | [string, string][] {
  for (const name in headers) if (typeof headers[name] !== 'string') return pairs(headers)
  return headers as Record<string, string>
}

/** A field that came more than once; only `set-cookie` may not be joined, and pairs keep all apart. */
function pairs(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    [value ?? ''].flat().map(each => [name, each]),
  )
}

const decoders: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** We ask for no encoding, but callers may, and `fetch` gives decoded bodies. */
function decode(
  encoding: string,
  body: Uint8Array | ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> | undefined {
  const decoder = decoders[encoding.trim().toLowerCase()]
  if (decoder === undefined) return undefined
  const source = body instanceof Uint8Array ? new Blob([body as Uint8Array<ArrayBuffer>]).stream() : body
  return source.pipeThrough(Duplex.toWeb(decoder()) as never)
}
