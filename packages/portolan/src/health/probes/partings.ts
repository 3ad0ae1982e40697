import type { Socket } from 'node:net'

/** How long the other side may take to end, too: a stopped process never does. */
const patienceMs = 1000

/**
 * Connections that have been ended, and are given time to hear the other side's end: closing at once would answer
 * what it still sends with a reset.
 */
export class Partings {
  #young = new Set<Socket>()
  /** Those that were there at the last look, and must be gone at the next. */
  #old = new Set<Socket>()
  #timer: NodeJS.Timeout | undefined

  part(socket: Socket): void {
    this.#young.add(socket)
    socket.on('close', () => {
      if (!this.#young.delete(socket)) this.#old.delete(socket)
    })
    socket.end()
    this.#timer ??= setInterval(() => this.#look(), patienceMs).unref()
  }

  async close(): Promise<void> {
    this.#stop()
    for (const socket of [...this.#young, ...this.#old]) socket.destroy()
  }

  #look(): void {
    for (const socket of this.#old) socket.destroy()
    this.#old = this.#young
    this.#young = new Set()
    if (this.#old.size === 0) this.#stop()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
