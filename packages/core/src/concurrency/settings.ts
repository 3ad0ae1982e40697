/** How many requests to a service each gateway lets be under way, found out by itself, as a route table tells it. */
export interface ConcurrencyLimitSettings {
  /** Never fewer. */
  readonly min?: number
  /** Never more. */
  readonly max?: number
  /** By so much longer than without load answers may take, as a factor. */
  readonly tolerance?: number
  /** Requests that have to stand back: those with one of these values in that field. */
  readonly lowPriority?: { readonly header: string; readonly values: readonly string[] }
}
