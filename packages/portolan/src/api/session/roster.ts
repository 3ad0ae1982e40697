import { randomBytes } from 'node:crypto'
import type { Clock, InstanceName, Milliseconds } from '@portolan/core'
import type { Identity } from '../../registry/access/access.ts'
import { closeCodes, instanceKey, type Session } from './session.ts'

/** A session whose connection is gone, while another may still go on with it. */
interface Resumable {
  readonly owner: string
  readonly held: Session['held']
  readonly until: Milliseconds
}

/** What a new connection starts with. */
export interface Identified {
  readonly id: string
  readonly held: Session['held']
}

/** All open sessions, and those that closed less than a lease ago. */
export interface Roster {
  readonly open: ReadonlyMap<string, Session>
  /**
   * The session that a hello names, if it is this caller's; else a new one. An older connection of the same session
   * is replaced: its client knows better than we that it is dead.
   */
  identify(identity: Identity, resume: string | undefined): Identified
  add(session: Session): void
  /** False when another connection has taken the session over. */
  remove(session: Session): boolean
  /** The registry has it from this session: drains tell this one. */
  hold(session: Session, name: InstanceName): void
  letGo(session: Session, name: InstanceName): void
  /** The session that holds the instance. */
  holderOf(name: InstanceName): Session | undefined
  /** Tells the session that holds the instance that it may stop; the session, where there is one. */
  mayStop(name: InstanceName, acknowledged: boolean): Session | undefined
}

const maxResumable = 100_000

export function openRoster(clock: Clock, leaseMs: Milliseconds): Roster {
  const open = new Map<string, Session>()
  const closed = new Map<string, Resumable>()
  const holders = new Map<string, Session>()

  function forgetOld(): void {
    for (const [id, { until }] of closed) {
      if (until > clock.now() && closed.size <= maxResumable) return
      closed.delete(id)
    }
  }

  function takeOver(session: Session): Identified {
    open.delete(session.id)
    session.close(closeCodes.replaced, 'another connection goes on with this session')
    return { id: session.id, held: session.held }
  }

  return {
    open,
    identify({ name: owner }, resume = '') {
      forgetOld()
      const live = open.get(resume)
      if (live?.identity.name === owner) return takeOver(live)
      const gone = closed.get(resume)
      if (gone?.owner !== owner) return { id: randomBytes(16).toString('base64url'), held: new Map() }
      closed.delete(resume)
      return { id: resume, held: gone.held }
    },
    add(session) {
      open.set(session.id, session)
      for (const key of session.held.keys()) holders.set(key, session)
    },
    remove(session) {
      for (const key of session.held.keys()) if (holders.get(key) === session) holders.delete(key)
      if (open.get(session.id) !== session) return false
      open.delete(session.id)
      closed.set(session.id, {
        owner: session.identity.name,
        held: session.held,
        until: clock.now() + leaseMs,
      })
      forgetOld()
      return true
    },
    hold(session, name) {
      session.held.set(instanceKey(name), name)
      // Its connection may have ended while the registration was on the way.
      if (open.get(session.id) === session) holders.set(instanceKey(name), session)
    },
    letGo(session, name) {
      session.held.delete(instanceKey(name))
      if (holders.get(instanceKey(name)) === session) holders.delete(instanceKey(name))
    },
    holderOf: name => holders.get(instanceKey(name)),
    mayStop(name, acknowledged) {
      const holder = holders.get(instanceKey(name))
      holder?.send({ type: 'may-stop', ...name, acknowledged })
      return holder
    },
  }
}
