import { Patience } from './patience.ts'
import type { ProgramProcess } from './process.ts'

/** Where signals come from: this process, or a test. */
export interface SignalSource {
  on(signal: NodeJS.Signals, hear: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, hear: (signal: NodeJS.Signals) => void): unknown
}

export interface RelayOptions {
  /** What comes before the first signal that asks the program to stop. */
  readonly beforeStop: () => Promise<void>
  /** From SIGTERM to SIGKILL. */
  readonly stopGraceMs: number
}

export interface SignalRelay {
  /** Aborts at the second signal that asks to stop, but for an echo of the first one. */
  readonly impatient: AbortSignal
  close(): void
}

const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
const passedOn: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT']

/**
 * Passes our signals on to a program that leads a process group of its own. Those that ask it to stop wait for
 * `beforeStop`, unless they come again. Only SIGTERM is followed by SIGKILL: programs may mean to survive the others.
 */
export function relaySignals(
  source: SignalSource,
  starting: Promise<ProgramProcess>,
  options: RelayOptions,
): SignalRelay {
  const impatient = new AbortController()
  const patience = new Patience()
  let last: NodeJS.Timeout | undefined
  let closed = false
  // A program that cannot be started hears nothing; its starter says why.
  const send = (signal: NodeJS.Signals): void => {
    starting.then(program => closed || program.signal(signal)).catch(() => {})
  }
  const pass = (signal: NodeJS.Signals): void => {
    send(signal)
    if (signal === 'SIGTERM' && !closed) last ??= setTimeout(() => send('SIGKILL'), options.stopGraceMs)
  }
  const stop = (signal: NodeJS.Signals): void => {
    const heard = patience.heard(performance.now())
    if (heard === 'echo') return
    if (heard === 'again') {
      impatient.abort()
      pass(signal)
      return
    }
    void options.beforeStop().then(() => {
      if (!impatient.signal.aborted) pass(signal)
    })
  }
  // The terminal stops its foreground group, which the program is not in. SIGCONT wakes both.
  const suspend = (): void => {
    send('SIGSTOP')
    setImmediate(() => process.kill(process.pid, 'SIGSTOP'))
  }
  const table = new Map<NodeJS.Signals, (signal: NodeJS.Signals) => void>([
    ...stopSignals.map(signal => [signal, stop] as const),
    ...passedOn.map(signal => [signal, pass] as const),
    ['SIGTSTP', suspend],
  ])
  for (const [signal, hear] of table) source.on(signal, hear)
  return {
    impatient: impatient.signal,
    close() {
      closed = true
      clearTimeout(last)
      for (const [signal, hear] of table) source.off(signal, hear)
    },
  }
}
