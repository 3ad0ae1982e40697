import { Fault, serviceKey, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'
import { settle } from './incarnation.ts'
import { encode, keyOf } from './records.ts'
import type { Registered, RegisterRequest } from './registry.ts'
import type { Sessions } from './sessions.ts'
import type { RegistrySettings } from './settings.ts'
import type { RegistryState } from './state.ts'

export interface RegistrarParts {
  readonly store: Store
  readonly state: RegistryState
  readonly sessions: Sessions
  readonly settings: RegistrySettings
  /** The name of this server's run. */
  readonly self: string
  readonly timeOfDay: () => string
  readonly reached: (revision: number) => Promise<void>
  readonly catchUp: (key: string) => Promise<void>
}

/** Writes registrations: many at a time, each conditional on what it replaces, so that none waits for another. */
export class Registrar {
  readonly #parts: RegistrarParts
  /** New instances whose commit is under way, by service and by owner: the caps hold for bursts, too. */
  readonly #arriving = new Map<string, number>()

  constructor(parts: RegistrarParts) {
    this.#parts = parts
  }

  /** @throws Fault `instance_owned_by_other`, `too_many`, `session_closed`, `store_failed`, `store_closed` */
  async register(request: RegisterRequest): Promise<Registered> {
    const { store, state, sessions, self, timeOfDay, reached, catchUp } = this.#parts
    const { registration, session } = request
    if (session !== undefined && sessions.stateOf(session) === undefined) throw sessionClosed(session)
    const key = keyOf('instances', registration)
    for (;;) {
      const slot = state.slot(registration)
      const current = slot?.record.value
      const record = settle(request, {
        current,
        revision: state.cursor.revision,
        self,
        now: timeOfDay,
        isConnected: holder => holder === self || sessions.stateOf(holder) !== undefined,
      })
      if (record === current) return { incarnation: record.instance.incarnation, cursor: state.cursor }
      const arriving = current === undefined ? this.#arrive(request) : nothing
      try {
        const value = encode(record)
        state.expect(key, value, record)
        const condition = [{ key, revision: slot?.record.revision ?? 0 }]
        const revision = await store.commit({ if: condition, put: [{ key, value }] })
        await reached(revision)
        return { incarnation: record.instance.incarnation, cursor: { epoch: state.cursor.epoch, revision } }
      } catch (thrown) {
        state.expectNoMore(key)
        if (toFault(thrown).code !== 'store_conflict') throw thrown
        await catchUp(key)
      } finally {
        this.#arrived(arriving)
      }
    }
  }

  /** Answers what it is counted under until it has `#arrived`. */
  #arrive({ registration, principal }: RegisterRequest): readonly string[] {
    const { state, settings } = this.#parts
    const service = serviceOf(registration)
    const owner = ownerOf(principal.name)
    const inService = (state.known(registration)?.size ?? 0) + (this.#arriving.get(service) ?? 0)
    const ofOwner = state.countOf(principal.name) + (this.#arriving.get(owner) ?? 0)
    if (inService >= settings.instancesPerService) {
      throw tooMany(`${serviceKey(registration)} has ${inService} instances`, settings.instancesPerService)
    }
    if (ofOwner >= settings.instancesPerOwner) {
      throw tooMany(`"${principal.name}" has registered ${ofOwner} instances`, settings.instancesPerOwner)
    }
    const arriving = [service, owner]
    for (const key of arriving) this.#arriving.set(key, (this.#arriving.get(key) ?? 0) + 1)
    return arriving
  }

  #arrived(arriving: readonly string[]): void {
    for (const key of arriving) {
      const count = (this.#arriving.get(key) ?? 0) - 1
      if (count > 0) this.#arriving.set(key, count)
      else this.#arriving.delete(key)
    }
  }
}

const nothing: readonly string[] = []

function serviceOf({ namespace, service }: RegisterRequest['registration']): string {
  return `service ${namespace}/${service}`
}

function ownerOf(name: string): string {
  return `owner ${name}`
}

function tooMany(what: string, most: number): Fault {
  return new Fault('too_many', `${what}, and ${most} are allowed`, {
    source: 'caller',
    hint: 'deregister what is not needed any more, or raise the limit in the configuration',
  })
}

function sessionClosed(session: string): Fault {
  return new Fault('session_closed', `session ${session} is not open`, {
    source: 'caller',
    retryable: true,
    hint: 'connect again, and register over the new session',
  })
}
