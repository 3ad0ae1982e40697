/** One thing looked at. */
export interface Finding {
  readonly what: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** What to do about it. */
  readonly mend?: string
}
