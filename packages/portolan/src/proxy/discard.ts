import type { BodyForm, Method } from './codec/codec.ts'
import type { Pool } from './pool/pool.ts'
import type { ResponseReceiver } from './response-receiver.ts'
import type { UpstreamConnection } from './upstream-connection.ts'

/** An answer longer than this is not worth its connection. */
const longest = 65_536

/** Takes an answer that nobody wants, so that its connection may be used again. */
export class Discard implements ResponseReceiver {
  readonly method: Method
  readonly answerWithinMs = 0
  readonly #pool: Pool
  readonly #connection: UpstreamConnection
  #size = 0

  constructor(method: Method, pool: Pool, connection: UpstreamConnection) {
    this.method = method
    this.#pool = pool
    this.#connection = connection
  }

  span(_: Uint8Array, from: number, to: number): void {
    this.#size += to - from
  }

  passOn(): void {
    if (this.#size > longest) this.#connection.destroy()
  }

  finished(reusable: boolean): void {
    if (reusable) this.#pool.release(this.#connection)
    else this.#connection.destroy()
  }

  responded(): BodyForm {
    return 'content'
  }

  switched(): undefined {
    return undefined
  }

  connected(): void {}
  interim(): void {}
  failed(): void {}
  drained(): void {}
}
