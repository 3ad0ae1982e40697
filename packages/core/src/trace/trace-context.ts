/** What a request says of the trace that it belongs to (W3C Trace Context, https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  /** 32 hexadecimal digits in lower case, not all of them 0. */
  readonly traceId: string
  /** Of the span that asks: 16 digits. */
  readonly parentId: string
  /** Whether whoever asks records it. */
  readonly sampled: boolean
  /** Whether the trace id is random (level 2 of the recommendation); passed on as it came. */
  readonly random: boolean
}

const versioned = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/
const onlyZeros = /^0+$/
const sampledFlag = 1
const randomFlag = 2

/**
 * Reads a `traceparent`, as strictly as section 3.2 says; `undefined`: there is none that counts, and a new trace begins.
 * Later versions may have more after the flags, and are read like version 00.
 */
export function parseTraceparent(text: string): TraceParent | undefined {
  const match = versioned.exec(text)
  if (match === null) return undefined
  const [, version, traceId = '', parentId = '', flags = ''] = match
  if (version === 'ff' || (version === '00' && text.length !== 55)) return undefined
  if (onlyZeros.test(traceId) || onlyZeros.test(parentId)) return undefined
  const bits = Number.parseInt(flags, 16)
  return { traceId, parentId, sampled: (bits & sampledFlag) !== 0, random: (bits & randomFlag) !== 0 }
}

export function formatTraceparent({ traceId, parentId, sampled, random }: TraceParent): string {
  const bits = (sampled ? sampledFlag : 0) | (random ? randomFlag : 0)
  return `00-${traceId}-${parentId}-0${bits}`
}

const mostMembers = 32
const key = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/
const value = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/**
 * Whether all `tracestate` fields of a request, in their order, are one list as section 3.3 has it: at most 32 members, no key
 * twice. What is not must not be passed on.
 */
export function isTracestate(fields: readonly string[]): boolean {
  const keys = new Set<string>()
  for (const member of fields.join(',').split(',')) {
    const trimmed = member.replace(/^[ \t]+|[ \t]+$/g, '')
    if (trimmed === '') continue
    const equals = trimmed.indexOf('=')
    const name = trimmed.slice(0, equals)
    if (equals < 0 || !key.test(name) || !value.test(trimmed.slice(equals + 1))) return false
    if (keys.has(name) || keys.size === mostMembers) return false
    keys.add(name)
  }
  return true
}
