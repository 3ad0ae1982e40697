/** A request that is recorded: one span of its own, and the try that is under way. */
export interface Recorded {
  readonly traceId: string
  readonly spanId: string
  /** Empty: the trace begins here. */
  readonly parentId: string
  readonly traceState: string
  readonly method: string
  readonly random: boolean
  /** From the gateway's clock to milliseconds since 1970. */
  readonly offsetMs: number
  /** Of the try: what the instance is told as its parent. */
  tryId: string
  /** By the gateway's clock; below 0 = no try is under way. */
  triedAt: number
}
