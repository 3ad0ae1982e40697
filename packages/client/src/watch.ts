import type { InstanceSet, Resolver, ServiceName, Unsubscribe } from '@portolan/core'

/**
 * The service's sets as they come; a reader that is slower than they come gets the newest only. Ends when the
 * reader leaves its loop or `signal` aborts.
 */
export async function* watchSets(
  resolver: Resolver,
  service: ServiceName,
  signal: AbortSignal,
): AsyncGenerator<InstanceSet, void, undefined> {
  let newest: InstanceSet | undefined
  let last: InstanceSet | undefined
  let wake = () => {}
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  const unsubscribe: Unsubscribe = resolver.subscribe(service, ({ set }) => {
    newest = set
    wake()
  })
  try {
    while (!signal.aborted) {
      if (newest === last || newest === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      last = newest
      yield last
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    unsubscribe()
  }
}
