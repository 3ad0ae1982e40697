import type { Milliseconds } from '@portolan/core'

/** npm and npx pass on what the terminal has sent to all of them already: so soon, a second signal is the first one's echo. */
const echoMs: Milliseconds = 500

/** What a signal to stop means: `first`, its `echo`, or `again` from somebody who does not want to wait any longer. */
export type Heard = 'first' | 'echo' | 'again'

/** Tells a second Ctrl-C from the echo of the first one. */
export class Patience {
  #since: Milliseconds | undefined

  heard(now: Milliseconds): Heard {
    if (this.#since === undefined) {
      this.#since = now
      return 'first'
    }
    return now - this.#since < echoMs ? 'echo' : 'again'
  }
}
