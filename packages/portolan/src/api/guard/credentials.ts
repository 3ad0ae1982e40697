import { Fault } from '@portolan/core'

const bearer = /^Bearer +([\x21-\x7e]{1,512})$/i

/**
 * The secret of an Authorization header, or `undefined` where there is no such header.
 * @throws Fault `unauthorized` when the header is there and is no bearer token: such a caller is not anonymous
 */
export function secretOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const secret = bearer.exec(authorization)?.[1]
  if (secret !== undefined) return secret
  throw new Fault('unauthorized', 'the Authorization header is no bearer token', {
    source: 'caller',
    hint: 'send "Authorization: Bearer ptl_…"',
  })
}
