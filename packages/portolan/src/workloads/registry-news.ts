import type { Fault } from '@portolan/core'

/** Tells a person what matters of a registry: that it went, came back, or refuses, and not each attempt. */
export interface RegistryNews {
  /** A connection or a request failed; it will be tried again. */
  trouble(thrown: Fault): void
  /** A connection came about. */
  connected(): void
}

/** @param say takes one line, without its end */
export function registryNews(say: (line: string) => void): RegistryNews {
  let away = false
  let refused: string | undefined
  return {
    trouble(fault) {
      if (isAway(fault)) {
        if (!away) say(`no registry answers (${fault.message}); the program runs on`)
        away = true
        refused = undefined
        return
      }
      const refusal = fault.hint === undefined ? fault.message : `${fault.message} (${fault.hint})`
      if (refusal !== refused) say(`the registry refused: ${refusal}; the program runs on`)
      refused = refusal
    },
    connected() {
      if (away) say('the registry is back')
      away = false
    },
  }
}

function isAway({ code }: Fault): boolean {
  return code === 'registry_unreachable' || code === 'session_closed' || code === 'request_timeout'
}
