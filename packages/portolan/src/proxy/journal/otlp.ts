/** A value as OTLP/JSON has it. 64-bit numbers are text. */
type AttributeValue =
  | { stringValue: string }
  | { intValue: string }
  | { doubleValue: number }
  | { boolValue: boolean }

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Kinds and states by their numbers in OTLP. */
export const spanKind = { server: 2, client: 3 } as const
export const spanError = 2

/** One finished span. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty: it is the trace's first. */
  readonly parentId: string
  /** Whether the parent is of another process. */
  readonly isRemote: boolean
  readonly traceState: string
  readonly name: string
  readonly kind: 2 | 3
  /** Milliseconds since 1970, with their fraction. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly isError: boolean
}

const sampled = 0x1
const saysRemote = 0x100
const remote = 0x200

/** A span as OTLP/JSON has it (opentelemetry-proto, `trace/v1/trace.proto`; ids are hexadecimal in JSON). */
export function encodeSpan(span: FinishedSpan): string {
  const { traceId, spanId, parentId, traceState, name, kind, startMs, endMs, attributes } = span
  return JSON.stringify({
    traceId,
    spanId,
    ...(traceState === '' ? {} : { traceState }),
    ...(parentId === '' ? {} : { parentSpanId: parentId }),
    flags: sampled | saysRemote | (span.isRemote ? remote : 0),
    name,
    kind,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(Math.max(startMs, endMs)),
    attributes: encodeAttributes(attributes),
    status: span.isError ? { code: spanError } : {},
  })
}

/** The body of one export request. */
export function encodeBatch(resource: Attributes, spans: readonly string[]): string {
  const about = JSON.stringify({ attributes: encodeAttributes(resource) })
  return `{"resourceSpans":[{"resource":${about},"scopeSpans":[{"scope":{"name":"portolan"},"spans":[${spans.join()}]}]}]}`
}

function encodeAttributes(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: encodeValue(value) }],
  )
}

function encodeValue(value: string | number | boolean): AttributeValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

/** Whole microseconds are as much as a double has of a time since 1970. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`
}
