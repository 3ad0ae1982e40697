import { isDeepStrictEqual } from 'node:util'
import { type Cause, Fault, type Registration } from '@portolan/core'
import type { Holds, InstanceRecord } from './records.ts'
import type { RegisterRequest } from './registry.ts'

/** What there is before a registration, and what the registry knows of those who hold it. */
export interface Before {
  readonly current: InstanceRecord | undefined
  /** The store's newest revision that the registry knows. */
  readonly revision: number
  /** This server's own run: the holder of processes that it supervises itself. */
  readonly self: string
  isConnected(session: string): boolean
}

/**
 * The record that a registration leaves behind; the very same object when it changes nothing.
 *
 * The *incarnation* numbers the runs of one id. A registration begins a new run
 *   - when the id is not registered,
 *   - when an address or a port differs: something else listens there, or
 *   - when another program's session holds the id and is still connected: a successor that came early.
 * Everything else goes on with the run that there is: a heartbeat or a repeated `PUT`, a session that came back
 * after an outage, a program that joins its supervisor's registration (tethers `process` and `session` hold one
 * instance side by side).
 * A new run gets a number above the id's last one and above every revision so far. So it is also higher than the
 * numbers of runs that were deregistered long ago, and nobody has to remember those.
 *
 * @throws Fault `instance_owned_by_other`
 */
export function settle(request: RegisterRequest, before: Before): InstanceRecord {
  const { current, revision } = before
  const { registration, source } = request
  const owner = request.principal.name
  const holds = holdsOf(request, before)
  if (current === undefined) {
    return {
      instance: { ...registration, source, owner, incarnation: revision + 1, causes: none },
      held: holds,
    }
  }
  const last = current.instance
  if (last.owner !== owner) throw ownedByOther(registration, last.owner)
  if (!isSameEndpoint(last, registration) || isSuccessor(request, before)) {
    const incarnation = Math.max(last.incarnation, revision) + 1
    return { instance: { ...registration, source, owner, incarnation, causes: none }, held: holds }
  }
  // The supervisor's word on where it came from stands; a program that joins changes the description only.
  const origin = current.held.process !== undefined && request.tether === 'session' ? last.source : source
  const instance = { ...registration, source: origin, owner, incarnation: last.incarnation, causes: none }
  const record = { instance, held: { ...current.held, ...holds } }
  return isDeepStrictEqual(record, current) ? current : record
}

const none: readonly Cause[] = Object.freeze([])

function holdsOf({ tether, session }: RegisterRequest, { self }: Before): Holds {
  if (tether === 'session' && session !== undefined) return { session }
  if (tether === 'process') return { process: session ?? self }
  if (tether === 'static') return { static: true }
  return {}
}

function isSuccessor({ tether, session }: RegisterRequest, { current, isConnected }: Before): boolean {
  const holder = current?.held.session
  return tether === 'session' && holder !== undefined && holder !== session && isConnected(holder)
}

function isSameEndpoint(a: Registration, b: Registration): boolean {
  return isDeepStrictEqual(a.addresses, b.addresses) && isDeepStrictEqual(a.ports, b.ports)
}

function ownedByOther({ service, id }: Registration, owner: string): Fault {
  return new Fault('instance_owned_by_other', `${service}/${id} is registered by "${owner}"`, {
    source: 'caller',
    hint: 'choose another id, or have its owner or an admin deregister it first',
  })
}
