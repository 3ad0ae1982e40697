import type { Milliseconds } from '../time/clock.ts'

/** How to reach one peer that has several addresses. */
export interface Race<Connection> {
  /** The preferred one first. */
  readonly addresses: readonly string[]
  /** How long one may take before the next is tried beside it. */
  readonly headStartMs: Milliseconds
  /** Begins to connect, and says later how that went. Returns how to break it off. */
  readonly start: (
    address: string,
    opened: (connection: Connection) => void,
    failed: (error: Error) => void,
  ) => () => void
  readonly after: (ms: Milliseconds, run: () => void) => () => void
  readonly won: (connection: Connection) => void
  /** All have failed: the last error. */
  readonly lost: (error: Error) => void
}

/**
 * The first address that accepts wins: the next is tried when one fails, or beside it when it has not answered within
 * the head start (RFC 8305, made small). Exactly one of `won` and `lost` is called, unless the returned function calls
 * the race off.
 */
export function race<Connection>(parts: Race<Connection>): () => void {
  const { addresses, headStartMs, start, after, won, lost } = parts
  const racing = new Map<number, () => void>()
  let next = 0
  let settled = false
  let stopWaiting = (): void => {}

  const settle = (): void => {
    settled = true
    stopWaiting()
    for (const breakOff of racing.values()) breakOff()
    racing.clear()
  }
  const startNext = (): void => {
    stopWaiting()
    const turn = next++
    const address = addresses[turn]
    if (address === undefined) return
    const breakOff = start(
      address,
      connection => {
        if (settled) return
        racing.delete(turn)
        settle()
        won(connection)
      },
      error => {
        if (settled || !racing.delete(turn)) return
        if (next < addresses.length) return startNext()
        if (racing.size > 0) return
        settle()
        lost(error)
      },
    )
    racing.set(turn, breakOff)
    if (next < addresses.length) stopWaiting = after(headStartMs, startNext)
  }
  startNext()
  return () => {
    if (!settled) settle()
  }
}
