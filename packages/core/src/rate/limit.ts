/** How many requests may pass: so many a second, and so many at once after a quiet time. */
export interface RateLimit {
  /** Greater than 0; may be a fraction. */
  readonly qps: number
  /** What is saved up at most; less than 1 counts as 1, since a request takes one. */
  readonly burst: number
}

/** A limit as a route table tells it. */
export interface RateLimitSettings extends RateLimit {
  /** `client` or `header:NAME`: each of them by itself. Absent: all requests together. */
  readonly by?: string
}

/** What one gateway may let pass of a limit that several share. */
export interface RateShare extends RateLimit {
  /** May be passed besides, once: what others have given back. */
  readonly tokens?: number
}

/** What one gateway says of a limit that it shares. */
export interface RateDemand {
  /** Requests a second that it was asked for, passed or not. Absent: it has just begun. */
  readonly perSecond?: number | undefined
  /** What it has saved up. */
  readonly tokens: number
  /** What it gives back, because its share of the burst has become smaller. */
  readonly back?: number | undefined
  /** The qps of the share that it goes by. Absent: none has come yet. */
  readonly qps?: number | undefined
}
