import { isIP } from 'node:net'
import type { Check, Instance } from '@portolan/core'

/** How a connection is secured; who is expected there is its host, or else its address. */
export interface TlsPlan {
  readonly servername?: string
  readonly verify: boolean
}

/** What a check comes down to for one instance. */
export interface Plan<Kind extends Check> {
  readonly check: Kind
  readonly instance: Instance
  readonly addresses: readonly string[]
  readonly port: number
  readonly tls: TlsPlan | undefined
}

/** Whether a connection that was opened by one plan may be used by the other. */
export function sameWay<Kind extends Check>(a: Plan<Kind>, b: Plan<Kind>): boolean {
  return (
    a.port === b.port &&
    (a.tls === undefined) === (b.tls === undefined) &&
    a.tls?.verify === b.tls?.verify &&
    a.instance.host === b.instance.host &&
    a.instance.incarnation === b.instance.incarnation
  )
}

export function tlsPlan({ host }: Instance, verify: boolean): TlsPlan {
  return host === undefined || isIP(host) !== 0 ? { verify } : { servername: host, verify }
}
