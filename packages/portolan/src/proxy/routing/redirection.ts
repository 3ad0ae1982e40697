import type { Redirect, Route } from '@portolan/core'
import { latin1, type RequestHead, refusals } from '../codec/codec.ts'
import type { Problem } from '../problem.ts'
import type { Destination, Way } from './destination.ts'
import { swapPrefix } from './swap-prefix.ts'

/** A route that leads nowhere itself: it says where else to ask. */
export class Redirection implements Way {
  /** It needs no service. */
  readonly destinations: readonly Destination[] = []
  readonly #redirect: Redirect
  readonly #prefix: string

  constructor(redirect: Redirect, { match }: Route) {
    this.#redirect = redirect
    this.#prefix = match.path ?? ''
  }

  choose(bytes: Uint8Array, head: RequestHead): Problem {
    const location = this.#location(bytes, head)
    if (location === undefined) return refusals.host
    const { status = 308 } = this.#redirect
    return {
      status,
      code: 'redirect',
      reason: 'this is to be asked for elsewhere: see Location',
      lines: `Location: ${location}\r\n`,
    }
  }

  /** Undefined: it goes to the request's own host, and the request has none. */
  #location(bytes: Uint8Array, head: RequestHead): string | undefined {
    const { to, path, host, scheme } = this.#redirect
    if (to !== undefined) return to
    const written = latin1(bytes, head.pathStart, head.targetEnd)
    const asked = written === '*' ? '/' : swapPrefix(written, '', '')
    const target = path === undefined ? asked : swapPrefix(asked, this.#prefix, path)
    // A host alone keeps the client's scheme, whatever that is where TLS ends before us (RFC 3986 section 4.2).
    if (scheme === undefined && host !== undefined) return `//${host}${target}`
    if (scheme === undefined) return withoutHost(target)
    const name = host ?? hostOf(bytes, head)
    return name === '' ? undefined : `${scheme}://${name}${target}`
  }
}

/** Of several slashes at the beginning one: `//evil.example` would be another host. Browsers take `\` for a slash. */
function withoutHost(target: string): string {
  return target.replace(/^[/\\]+/, '/')
}

/** Without its port, which belongs to the other scheme. */
function hostOf(bytes: Uint8Array, { hostStart, hostEnd }: RequestHead): string {
  return latin1(bytes, hostStart, hostEnd).replace(/:\d*$/, '')
}
