import { isDeepStrictEqual } from 'node:util'
import type { ServiceName } from '@portolan/core'
import type { Access } from '../../registry/access/access.ts'
import type { Registry, ServicesStep } from '../../registry/registry.ts'
import type { CatalogueFrames } from './catalogue-frames.ts'
import type { CatalogueWatch, Session } from './session.ts'

/**
 * Tells a session which services there are, as far as its token may read them: all of them within this call, then at
 * each change what has changed, or all where that is less. When the configuration gives the token other rights, all that
 * it may read now. A session that is congested gets the whole list later.
 */
export function watchCatalogue(
  session: Session,
  registry: Registry,
  access: Access,
  frames: CatalogueFrames,
): CatalogueWatch {
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
      push(frames.whole(services, grants))
      return
    }
    const frame = frames.change(step, grants)
    if (frame !== undefined) push(frame)
  }

  const stop = registry.watchServices(tell)
  const stopRights = access.onConfigured(() => {
    if (renewRights() && isBehind && !isCongested) push(frames.whole(services, grants))
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
