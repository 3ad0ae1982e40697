import { Fault } from '@portolan/core'
import { findJsonError } from './json-error.ts'

/**
 * Parses what a peer sent.
 * @throws Fault `invalid_request`, naming line and column
 */
export function parseJson(text: string): unknown {
  // A byte order mark is no JSON, but what some systems write in front of it.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  try {
    return suspicious.test(json) ? JSON.parse(json, refusePrototype) : JSON.parse(json)
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    const error = findJsonError(json)
    const where = error === undefined ? '' : ` at line ${error.line}, column ${error.column}: ${error.reason}`
    throw new Fault('invalid_request', `the body is not JSON${where}`, { source: 'caller' })
  }
}

/** Might spell `__proto__`, escapes included: worth the slow way, which looks at every key. */
const suspicious = /"(?:_|\\u005[fF]){2}p/

function refusePrototype(key: string, value: unknown): unknown {
  if (key !== '__proto__') return value
  throw new Fault('invalid_request', 'the body has a property "__proto__"', { source: 'caller' })
}
