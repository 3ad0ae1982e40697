import { isDeepStrictEqual } from 'node:util'
import { type Cause, type Check, Fault, type Instance, type Registration } from '@portolan/core'
import type { Holds, InstanceRecord } from './records.ts'
import type { RegisterRequest } from './registry.ts'

/** The owner of the cause that a new run carries until its first pass. */
export const startingOwner = 'health'

/** What there is before a registration, and what the registry knows of those who hold it. */
export interface Before {
  readonly current: InstanceRecord | undefined
  /** The store's newest revision that the registry knows. */
  readonly revision: number
  /** This server's own run: the holder of processes that it supervises itself. */
  readonly self: string
  /** The time of day, ISO 8601. */
  now(): string
  /** Whether a session is open, or a server's run this one. */
  isConnected(holder: string): boolean
}

/**
 * The record that a registration leaves behind; the very same object when it changes nothing.
 *
 * The *incarnation* numbers the runs of one id. A registration begins a new run
 *   - when the id is not registered,
 *   - when an address or a port differs: something else listens there, or
 *   - when another program's session holds the id and is still connected: a successor that came early.
 * Everything else goes on with the run that there is: a heartbeat or a repeated `PUT`, a session that came back
 * after an outage, and a program and its supervisor that join each other's registration. The tethers `process` and
 * `session` then hold one instance side by side; what both say of it is kept, the later word first (of their checks, the program's).
 *
 * A new run gets a number above the id's last one and above every revision so far. So it is also higher than the
 * numbers of runs that were deregistered long ago, and nobody has to remember those.
 *
 * @throws Fault `instance_owned_by_other`
 */
export function settle(request: RegisterRequest, before: Before): InstanceRecord {
  const { current, revision } = before
  const { registration, source } = request
  const owner = request.principal.name
  const held = holdsOf(request, before)
  if (current === undefined) return newRun(request, { held, incarnation: revision + 1, before })
  const last = current.instance
  if (last.owner !== owner) throw ownedByOther(registration, last.owner)
  const partner = partnerOf(request, before)
  const isJoining =
    partner !== undefined && current.held[partner === 'process' ? 'session' : 'process'] === undefined
  const isSameRun = isJoining || (isSameEndpoint(last, registration) && !isSuccessor(request, before))
  if (!isSameRun) {
    return newRun(request, { held, incarnation: Math.max(last.incarnation, revision) + 1, before })
  }
  const described = partner === undefined ? registration : joined(last, registration)
  const instance = {
    ...described,
    // Where it came from is the supervisor's to say.
    source: partner === 'process' ? last.source : source,
    owner,
    incarnation: last.incarnation,
    causes: none,
  }
  const checks = checksOf(request, current, partner)
  const record: InstanceRecord = {
    instance,
    held: { ...current.held, ...held },
    ...(checks === undefined ? {} : { checks }),
    ...(current.begins === undefined ? {} : { begins: current.begins }),
  }
  return isDeepStrictEqual(record, current) ? current : record
}

interface Run {
  readonly held: Holds
  readonly incarnation: number
  readonly before: Before
}

function newRun(request: RegisterRequest, { held, incarnation, before }: Run): InstanceRecord {
  const { registration, source, principal, checks, starting } = request
  const record: { -readonly [Key in keyof InstanceRecord]: InstanceRecord[Key] } = {
    instance: { ...registration, source, owner: principal.name, incarnation, causes: none },
    held,
  }
  if (checks !== undefined) record.checks = checks
  if (starting !== undefined) {
    record.begins = [{ kind: 'starting', owner: startingOwner, reason: starting, since: before.now() }]
  }
  return record
}

/** The checks of a run that goes on: those named now; of a program and its supervisor, the program's if it names any. */
function checksOf(
  { checks }: RegisterRequest,
  current: InstanceRecord,
  partner: 'process' | 'session' | undefined,
): readonly Check[] | undefined {
  if (partner === undefined) return checks
  return partner === 'session' ? (current.checks ?? checks) : (checks ?? current.checks)
}

/** Who else vouches for the instance right now: its supervisor for a program, the program for a supervisor. */
function partnerOf(
  { tether }: RegisterRequest,
  { current, isConnected }: Before,
): 'process' | 'session' | undefined {
  const partner = tether === 'session' ? 'process' : tether === 'process' ? 'session' : undefined
  const holder = partner === undefined ? undefined : current?.held[partner]
  return holder !== undefined && isConnected(holder) ? partner : undefined
}

/** Two descriptions of one run: metadata of both, and of the rest what the later one says, or else the earlier. */
function joined(earlier: Instance, later: Registration): Registration {
  const { source, owner, incarnation, causes, ...registration } = earlier
  return {
    ...registration,
    ...later,
    tags: later.tags.length > 0 ? later.tags : earlier.tags,
    metadata: { ...earlier.metadata, ...later.metadata },
  }
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
