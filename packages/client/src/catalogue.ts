import {
  type Catalogue,
  defaultNamespace,
  Fault,
  orderedServices,
  patchedServices,
  type ServerMessage,
  type ServiceName,
  serviceChanges,
  toFault,
} from '@portolan/core'
import type { Cancel, LocalRuntime } from './runtime.ts'
import type { Link } from './session/link.ts'
import type { Session } from './session/session.ts'

export interface SessionCatalogue extends Catalogue {
  close(): void
}

type ServicesMessage = Extract<ServerMessage, { readonly type: 'services' }>

/** After a refusal (no right to read, say) the question is asked again at this pace, jittered. */
const refusedMs = 5000

/**
 * Which services there are, over a session: asked for once, whoever watches, and again over each connection. The last
 * list is kept while no registry answers.
 */
export function sessionCatalogue(
  session: Session,
  onFault: (fault: Fault) => void,
  { random, timers }: Pick<LocalRuntime, 'random' | 'timers'>,
): SessionCatalogue {
  const receivers = new Set<(services: readonly ServiceName[]) => void>()
  let known: readonly ServiceName[] | undefined
  /** Whether this connection's registry has told its whole list, so that changes of it can be applied. */
  let isBegun = false
  let isAsked = false
  let stopRetry: Cancel = () => {}

  const tell = (receive: (services: readonly ServiceName[]) => void, services: readonly ServiceName[]) => {
    try {
      receive(services)
    } catch (thrown) {
      // A receiver's error is its own: it must cost neither the other receivers nor the connection.
      onFault(new Fault('internal', 'a receiver of services threw', { source: 'internal', cause: thrown }))
    }
  }

  const ask = async (link: Link): Promise<void> => {
    isAsked = true
    try {
      await link.request({ type: 'watch-services' })
    } catch (thrown) {
      if (session.link !== link) return
      const fault = toFault(thrown)
      onFault(fault)
      // An older registry does not know the question, and will not learn it while this connection lasts.
      if (fault.code === 'invalid_request') return
      stopRetry = timers.after(refusedMs * (1 + random()), () => void ask(link), 'background')
    }
  }

  const apply = (message: ServicesMessage): void => {
    const before = known ?? []
    if ('services' in message) {
      const next = orderedServices(message.services.map(named))
      const { put, gone } = serviceChanges(before, next)
      if (known !== undefined && put.length === 0 && gone.length === 0) {
        isBegun = true
        return
      }
      known = next
      isBegun = true
    } else {
      // What came before the whole list speaks of another list than ours.
      if (!isBegun) return
      known = patchedServices(before, { put: message.put.map(named), gone: message.gone.map(named) })
      if (known === before) return
    }
    for (const receive of [...receivers]) tell(receive, known)
  }

  session.attach({
    up(link) {
      isBegun = false
      isAsked = false
      if (receivers.size > 0) void ask(link)
    },
    receive(message) {
      if (message.type === 'services') apply(message)
    },
    down() {
      isBegun = false
      stopRetry()
    },
  })

  return {
    watchServices(receive) {
      const own = (services: readonly ServiceName[]) => receive(services)
      receivers.add(own)
      if (known !== undefined) tell(own, known)
      if (!isAsked && session.link !== undefined) void ask(session.link)
      return () => {
        receivers.delete(own)
      }
    },
    close() {
      receivers.clear()
      stopRetry()
    },
  }
}

function named({
  namespace = defaultNamespace,
  service,
}: {
  namespace?: string
  service: string
}): ServiceName {
  return { namespace, service }
}
