/** Where the fields of a header stand in a message, two bytes each (RFC 1035 section 4.1.1). */
export const header = {
  id: 0,
  flags: 2,
  questions: 4,
  answers: 6,
  authority: 8,
  additional: 10,
  /** Where the question begins. */
  end: 12,
} as const

/** The bits of the header's flags (RFC 1035 section 4.1.1, RFC 4035 section 3.2.2). */
export const flags = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const

/** The largest message: what the two bytes before each one over TCP can say (RFC 1035 section 4.2.2). */
export const largestMessage = 65_535

/** The largest UDP message that everybody takes, and what a smaller size in an OPT record counts as (RFC 6891 section 6.2.3). */
export const smallestUdpSize = 512
