import type { ServerMessage, ServiceName } from '@portolan/core'
import { allows, every, type Grant, onService } from '../../registry/access/grants.ts'
import type { ServicesStep } from '../../registry/registry.ts'
import { textFrame } from './frame.ts'

type ServicesMessage = Extract<ServerMessage, { readonly type: 'services' }>

const readAll = onService('read', { namespace: every, service: every })

/** What sessions are told of the services that there are; for all those who may read all, encoded once. */
export class CatalogueFrames {
  readonly #wholes = new WeakMap<readonly ServiceName[], Buffer>()
  readonly #changes = new WeakMap<ServicesStep, Buffer>()

  whole(services: readonly ServiceName[], grants: readonly Grant[]): Buffer {
    if (!allows(grants, readAll)) {
      return encoded({ type: 'services', services: readable(services, grants) })
    }
    const known = this.#wholes.get(services)
    if (known !== undefined) return known
    const made = encoded({ type: 'services', services })
    this.#wholes.set(services, made)
    return made
  }

  /** `undefined`: nothing of it is for this reader. */
  change(step: ServicesStep, grants: readonly Grant[]): Buffer | undefined {
    const { put = [], gone = [] } = step.since ?? {}
    if (!allows(grants, readAll)) {
      const own = { put: readable(put, grants), gone: readable(gone, grants) }
      if (own.put.length === 0 && own.gone.length === 0) return undefined
      return encoded({ type: 'services', ...own })
    }
    const known = this.#changes.get(step)
    if (known !== undefined) return known
    const made = encoded({ type: 'services', put, gone })
    this.#changes.set(step, made)
    return made
  }
}

function readable(services: readonly ServiceName[], grants: readonly Grant[]): readonly ServiceName[] {
  return services.filter(name => allows(grants, onService('read', name)))
}

function encoded(message: ServicesMessage): Buffer {
  return textFrame(JSON.stringify(message))
}
