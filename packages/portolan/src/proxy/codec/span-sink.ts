/** Takes the bytes of a body: spans of the very buffer that was read, valid during the call only. */
export interface SpanSink {
  span(bytes: Uint8Array, from: number, to: number): void
}

/** How a chunked body is passed on: in its framing, or as bare content for a recipient that knows no chunks. */
export type BodyForm = 'wire' | 'content'
