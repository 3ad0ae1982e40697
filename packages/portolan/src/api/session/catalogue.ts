import { isDeepStrictEqual } from 'node:util'
import type { ServerMessage, ServiceName } from '@portolan/core'
import type { Access } from '../../registry/access/access.ts'
import { allows, every, type Grant, onService } from '../../registry/access/grants.ts'
import type { Registry, ServicesStep } from '../../registry/registry.ts'
import { textFrame } from './frame.ts'
import type { CatalogueWatch, Session } from './session.ts'

type ServicesMessage = Extract<ServerMessage, { readonly type: 'services' }>

/** What may be told to everybody who may read all: one encoding, however many there are. */
const wholes = new WeakMap<readonly ServiceName[], Buffer>()
const changes = new WeakMap<ServicesStep, Buffer>()

const readAll = onService('read', { namespace: every, service: every })

/**
 * Tells a session which services there are, as far as its token may read them: all of them within this call, then at
 * each change what has changed, or all where that is less. When the configuration gives the token other rights, all that
 * it may read now. A session that is congested gets the whole list later.
 */
export function watchCatalogue(session: Session, registry: Registry, access: Access): CatalogueWatch {
  let { grants } = access.authenticate(session.secret)
  let services: readonly ServiceName[] = []
  let isCongested = false
  /** Whether it lacks more than the next step. */
  let isBehind = true

  const push = (frame: Buffer): void => {
    isBehind = false
    isCongested = !session.push(frame)
  }

  /** A token's rights follow the configuration: what it may not read any more is not told of any more. */
  const hasNewRights = (): boolean => {
    const before = grants
    grants = access.authenticate(session.secret).grants
    return grants !== before && !isDeepStrictEqual(grants, before)
  }

  /** Whether it may be told anything. */
  const renewRights = (): boolean => {
    try {
      if (hasNewRights()) isBehind = true
      return true
    } catch {
      // Revoked or expired: the session is about to be closed, unless the token comes back before.
      isBehind = true
      return false
    }
  }

  const tell = (step: ServicesStep): void => {
    services = step.services
    if (isCongested) {
      isBehind = true
      return
    }
    if (!renewRights()) return
    const { since } = step
    if (isBehind || since === undefined || since.put.length + since.gone.length >= services.length) {
      push(wholeFrame(services, grants))
      return
    }
    const frame = changeFrame(step, grants)
    if (frame !== undefined) push(frame)
  }

  const stop = registry.watchServices(tell)
  const stopRights = access.onConfigured(() => {
    if (renewRights() && isBehind && !isCongested) push(wholeFrame(services, grants))
  })
  return {
    resume() {
      if (!isCongested) return
      isCongested = false
      if (isBehind) tell({ services })
    },
    close() {
      stop()
      stopRights()
    },
  }
}

function wholeFrame(services: readonly ServiceName[], grants: readonly Grant[]): Buffer {
  if (!allows(grants, readAll)) {
    return encoded({ type: 'services', services: readable(services, grants) })
  }
  const known = wholes.get(services)
  if (known !== undefined) return known
  const made = encoded({ type: 'services', services })
  wholes.set(services, made)
  return made
}

/** `undefined`: nothing of it is for this reader. */
function changeFrame(step: ServicesStep, grants: readonly Grant[]): Buffer | undefined {
  const { put = [], gone = [] } = step.since ?? {}
  if (!allows(grants, readAll)) {
    const own = { put: readable(put, grants), gone: readable(gone, grants) }
    if (own.put.length === 0 && own.gone.length === 0) return undefined
    return encoded({ type: 'services', ...own })
  }
  const known = changes.get(step)
  if (known !== undefined) return known
  const made = encoded({ type: 'services', put, gone })
  changes.set(step, made)
  return made
}

function readable(services: readonly ServiceName[], grants: readonly Grant[]): readonly ServiceName[] {
  return services.filter(name => allows(grants, onService('read', name)))
}

function encoded(message: ServicesMessage): Buffer {
  return textFrame(JSON.stringify(message))
}
