import { hash } from 'node:crypto'
import type { Milliseconds } from '@portolan/core'

/** So many answers are remembered: clients can invent tokens. */
const most = 10_000

interface Remembered {
  readonly lines: string
  readonly until: Milliseconds
}

/** What was said of requests before, by all that was asked with. Keys are hashes: nobody's token is kept. */
export class Verdicts {
  readonly #known = new Map<string, Remembered>()

  static keyOf(parts: readonly (string | undefined)[]): string {
    // Lengths keep `a, bc` and `ab, c` apart.
    let all = ''
    for (const part of parts) all += part === undefined ? '-;' : `${part.length}:${part};`
    return hash('sha256', all, 'base64')
  }

  /** The lines for the instance, where it may pass. */
  get(key: string, now: Milliseconds): string | undefined {
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    if (known.until > now) return known.lines
    this.#known.delete(key)
    return undefined
  }

  set(key: string, lines: string, until: Milliseconds): void {
    this.#known.delete(key)
    const oldest = this.#known.size >= most ? this.#known.keys().next().value : undefined
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(key, { lines, until })
  }
}
