import { acceptAndNeverAnswer, type HalfOpen, listenAndNeverAccept } from './half-open.ts'
import { type Namespace, openNamespace, sweepNamespaces } from './namespace.ts'
import { type Program, type ProgramOptions, startProgram } from './program.ts'
import { openRelay, type Relay } from './relay.ts'
import { type Stopped, stop, sweepStopped } from './signals.ts'

/** Everything that a test breaks or starts, and how it is made good: `undo` in afterEach. */
export class Faults {
  readonly #undo: (() => unknown)[] = []

  /** Also puts right what earlier tests have left that were killed in the middle. */
  constructor() {
    sweepStopped()
    sweepNamespaces()
  }

  start(file: string, args: readonly string[], options?: ProgramOptions): Program {
    const program = startProgram(file, args, options)
    this.#undo.push(() => program.end())
    return program
  }

  stop(pid: number): Stopped {
    const stopped = stop(pid)
    this.#undo.push(stopped.resume)
    return stopped
  }

  namespace(crowd?: string): Namespace {
    const namespace = openNamespace(crowd)
    this.#undo.push(namespace.close)
    return namespace
  }

  async relay(to: { readonly host: string; readonly port: number }): Promise<Relay> {
    const relay = await openRelay(to)
    this.#undo.push(relay.close)
    return relay
  }

  async halfOpen(kind: 'accepts' | 'listens'): Promise<HalfOpen> {
    const open = await (kind === 'accepts' ? acceptAndNeverAnswer() : listenAndNeverAccept())
    this.#undo.push(open.close)
    return open
  }

  /** Anything else that must be made good. */
  later(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  /** In the opposite order; what fails does not keep the rest from being made good. */
  async undo(): Promise<void> {
    const failed: unknown[] = []
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo()
      } catch (thrown) {
        failed.push(thrown)
      }
    }
    if (failed.length > 0) throw new AggregateError(failed, 'not everything could be undone')
  }
}
