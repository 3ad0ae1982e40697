/** What one peer may make us hold or read before it is refused. Sizes in bytes. */
export interface CodecLimits {
  /** Start line and fields together. Default 16 KiB. */
  readonly head: number
  /** Request target. Default 8 KiB. */
  readonly target: number
  /** Chunk extensions of one body, all together. Default 4 KiB. */
  readonly chunkExtensions: number
}

export const defaultCodecLimits: CodecLimits = { head: 16_384, target: 8192, chunkExtensions: 4096 }
