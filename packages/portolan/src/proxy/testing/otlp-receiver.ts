import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Opened } from './harness.ts'

const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digits}}$`))
    .refine(text => !/^0+$/.test(text))
const nanoseconds = z.string().regex(/^\d{19}$/)
const value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
  z.strictObject({ boolValue: z.boolean() }),
])
const attributes = z
  .array(z.strictObject({ key: z.string().min(1), value }))
  .refine(list => new Set(list.map(({ key }) => key)).size === list.length, 'keys must be unique')

const span = z
  .strictObject({
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16).optional(),
    traceState: z.string().min(1).optional(),
    flags: z.int().min(0).max(0xffffffff),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: nanoseconds,
    endTimeUnixNano: nanoseconds,
    attributes,
    status: z.strictObject({ code: z.int().min(0).max(2).optional(), message: z.string().optional() }),
  })
  .refine(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano))

/** `ExportTraceServiceRequest` in its JSON form, and nothing that is not in it (opentelemetry-proto 1.x). */
const exportRequest = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes }),
        scopeSpans: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string().min(1) }),
              spans: z.array(span).min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
})

export interface ReceivedSpan extends Omit<z.infer<typeof span>, 'attributes'> {
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly resource: Readonly<Record<string, string | number | boolean>>
}

export interface OtlpReceiver {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  /** Requests so far, the refused ones too. */
  readonly requests: number
  /** What was wrong with requests, by their form. */
  readonly mistakes: readonly string[]
  /** Answers so from now on; `undefined`: as it should. */
  answer(answer: { status: number; headers?: Record<string, string>; body?: string } | undefined): void
}

type Plain = Readonly<Record<string, string | number | boolean>>

function plain(list: z.infer<typeof attributes>): Plain {
  return Object.fromEntries(
    list.map(({ key, value }) => {
      const [given] = Object.values(value) as (string | number | boolean)[]
      return [key, 'intValue' in value ? Number(given) : (given ?? '')]
    }),
  )
}

/** A receiver of OTLP/HTTP that takes JSON alone, and looks at every field of it. */
export async function otlpReceiver(opened: Opened): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const mistakes: string[] = []
  let requests = 0
  let wanted: { status: number; headers?: Record<string, string>; body?: string } | undefined
  const take = (request: IncomingMessage, text: string): void => {
    const { method, url, headers } = request
    if (method !== 'POST' || url !== '/v1/traces') mistakes.push(`${method} ${url}`)
    if (headers['content-type'] !== 'application/json') mistakes.push(`type ${headers['content-type']}`)
    const parsed = exportRequest.safeParse(JSON.parse(text))
    if (!parsed.success) mistakes.push(z.prettifyError(parsed.error))
    if (!parsed.success || wanted !== undefined) return
    for (const { resource, scopeSpans } of parsed.data.resourceSpans) {
      for (const scope of scopeSpans) {
        for (const { attributes, ...rest } of scope.spans)
          spans.push({ ...rest, attributes: plain(attributes), resource: plain(resource.attributes) })
      }
    }
  }
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', piece => pieces.push(piece))
    request.on('end', () => {
      requests++
      take(request, Buffer.concat(pieces).toString())
      const { status = 200, headers = {}, body = '{}' } = wanted ?? {}
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    mistakes,
    get requests() {
      return requests
    },
    answer(next) {
      wanted = next
    },
  }
}
