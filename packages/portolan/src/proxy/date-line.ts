/** `Date: …` with CRLF (RFC 9110 section 6.6.1), worked out once a second. */
export class DateLine {
  readonly #wall: () => number
  #second = Number.NaN
  #text = ''

  /** @param wall milliseconds since 1970 */
  constructor(wall: () => number = Date.now) {
    this.#wall = wall
  }

  get text(): string {
    const second = Math.floor(this.#wall() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#text = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
    }
    return this.#text
  }
}
