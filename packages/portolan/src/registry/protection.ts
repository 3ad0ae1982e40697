/** How many of a group there are, and how many of them are silent (or would go) at the same moment. */
export interface Silence {
  readonly all: number
  readonly silent: number
}

/**
 * Whether more than half of a group fell silent together. Then the fault is more likely with the network or with
 * ourselves than with each of them, and silence alone proves nothing. One alone is no *together*: a service of one
 * instance loses it as it should. It ends by itself, when enough of them are heard again or others have joined.
 */
export function isMassSilence({ all, silent }: Silence): boolean {
  return silent >= 2 && silent > all / 2
}

/** Whether the end of a lease removes an instance, given what its service and all the sessions look like. */
export function mayExpire(service: Silence, sessions: Silence): boolean {
  return !isMassSilence(service) && !isMassSilence(sessions)
}
