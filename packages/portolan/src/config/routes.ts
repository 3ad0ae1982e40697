import type { RouteTable, Unsubscribe } from '@portolan/core'

/** The route table of the configuration that holds now, and of the next one. */
export interface Routes {
  readonly table: RouteTable
  /** `receive` is called at each change, not for the table of now. */
  subscribe(receive: (table: RouteTable) => void): Unsubscribe
  set(table: RouteTable): void
}

export function routesOf(first: RouteTable): Routes {
  const receivers = new Set<(table: RouteTable) => void>()
  let table = first
  return {
    get table() {
      return table
    },
    subscribe(receive) {
      receivers.add(receive)
      return () => {
        receivers.delete(receive)
      }
    },
    set(next) {
      table = next
      for (const receive of receivers) receive(next)
    },
  }
}
