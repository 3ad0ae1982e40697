import { TcpCounts } from '../tcp/metrics.ts'
import { openTcp, sweepMs, type TcpOptions, type TcpServer } from '../tcp.ts'

/** A listener in virtual time. */
export interface TcpFixture extends TcpServer {
  readonly counts: TcpCounts
  /** What was logged. */
  readonly logged: readonly string[]
  pass(ms: number): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Answers every message with itself, unless told otherwise. */
export async function tcpFixture(options: Partial<TcpOptions> = {}): Promise<TcpFixture> {
  const counts = new TcpCounts()
  const logged: string[] = []
  const sweeps = new Set<() => void>()
  const note = (_: unknown, text?: string): void => {
    logged.push(text ?? '')
  }
  const server = await openTcp({
    listen: { host: '127.0.0.1', port: 0 },
    handle: message => message,
    log: { warn: note, error: note } as TcpOptions['log'],
    counts,
    every: (_, sweep) => {
      sweeps.add(sweep)
      return () => sweeps.delete(sweep)
    },
    ...options,
  })
  return {
    ...server,
    counts,
    logged,
    pass(ms) {
      for (let passed = 0; passed < ms; passed += sweepMs) for (const sweep of sweeps) sweep()
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}
