import {
  type BodyForm,
  connectionField,
  type RequestHead,
  type ResponseHead,
  writeResponseHead,
} from './codec/codec.ts'
import type { PathContext } from './path-context.ts'
import { upgradeLines } from './upgrade.ts'

/**
 * The answer to one request, as its client gets it: in the version that it speaks, and with what becomes of its connection.
 * Written into the path's `out`. One is kept per exchange and used again.
 */
export class Answer {
  /** Of the instance's head; 0: none has come yet. */
  status = 0
  /** Whether part of it has been sent: then it can only be completed, or cut. */
  begun = false
  /** Whether the client's connection closes behind it. */
  closing = false
  readonly #path: PathContext
  #minor = 1
  #persistent = true

  constructor(path: PathContext) {
    this.#path = path
  }

  /** Begins to wait for the answer to that request. */
  begin({ minor, persistent }: RequestHead): void {
    this.status = 0
    this.begun = false
    this.#minor = minor
    this.#persistent = persistent
  }

  /** Writes a 1xx head; another one follows. */
  interim(bytes: Uint8Array, head: ResponseHead): void {
    // An HTTP/1.0 client does not know of 1xx (RFC 9110 section 15.2).
    if (this.#minor > 0) writeResponseHead(bytes, head, '', true, this.#path.out)
  }

  /** Writes the 101 head after which both sides speak `protocol`. */
  switched(bytes: Uint8Array, head: ResponseHead, protocol: string, lines: string): void {
    writeResponseHead(bytes, head, upgradeLines(protocol), false, this.#path.out, lines)
  }

  /**
   * Writes the head that counts, and says in which form the body is to follow.
   * @param lines further ones, each with CRLF
   * @param ending whether the connection can't go on behind it
   */
  head(bytes: Uint8Array, head: ResponseHead, lines: string, ending: boolean): BodyForm {
    this.status = head.status
    const isOld = this.#minor === 0
    const unchunked = isOld && head.framing === 'chunked'
    const endless = unchunked || head.framing === 'until-close'
    this.closing = ending || endless || !this.#persistent || this.#path.draining
    const field = connectionField(this.closing, this.#minor)
    const dated = head.dated ? lines : this.#path.date.text + lines
    writeResponseHead(bytes, head, field, isOld, this.#path.out, dated)
    return unchunked ? 'content' : 'wire'
  }
}
