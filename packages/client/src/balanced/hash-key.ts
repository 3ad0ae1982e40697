import { Fault } from '@portolan/core'

/**
 * The key of one request. An empty text is no key: as one it would bring every caller who has nothing to say to the same
 * instance. The same goes for what is no text (a number, an object), which would hash to one value, whatever it holds.
 * @throws Fault `invalid_request` for what is no text
 */
export function hashKeyOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given === '' ? undefined : given
  if (given === undefined) return undefined
  const what = given === null ? 'null' : Array.isArray(given) ? 'a list' : `of type ${typeof given}`
  throw new Fault('invalid_request', `hashKey is ${what} and must be a text`, {
    source: 'caller',
    hint: 'write hashKey: String(userId); leave it out where a request has no key',
  })
}
