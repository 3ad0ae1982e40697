import type { Socket } from 'node:net'
import { bytesTaken } from './taken.ts'

/** Not looked at, or not waited for since. */
const unknown = -1

/** How a client gets on, for who would not wait for ever: with taking its answer, and with sending its request. */
export class Progress {
  readonly #socket: Socket
  /** What it had taken when it was last asked. */
  #taken = unknown
  /** What it had moved when it was last waited for. */
  #moved = unknown

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Whether it has taken anything of its answer since this was last asked, or since `noteTaken`. */
  takes(): boolean {
    const before = this.#taken
    this.noteTaken()
    return this.#taken > before
  }

  noteTaken(): void {
    this.#taken = bytesTaken(this.#socket)
  }

  /** Another answer begins. */
  forgetTaken(): void {
    this.#taken = unknown
  }

  /** It is not being waited for: a look at its pace begins anew. */
  excuse(): void {
    this.#moved = unknown
  }

  /** Whether it has moved so many bytes, either way, since the last look; true at a first one. */
  hasMoved(least: number): boolean {
    const before = this.#moved
    this.#moved = this.#socket.bytesRead + bytesTaken(this.#socket)
    return before === unknown || this.#moved - before >= least
  }
}
