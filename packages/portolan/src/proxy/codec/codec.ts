/**
 * HTTP/1.1 on bytes: pure, incremental, strict. Nothing here knows of sockets, clocks or services.
 *
 *     const head = new RequestHead()
 *     head.begin(0)
 *     const end = parseRequestHead(bytes, bytes.length, head, defaultCodecLimits)
 *     // end >= 0: the head is bytes[head.start, end); incomplete; refused: head.refusal
 *     const body = new BodyReader(defaultCodecLimits)
 *     body.begin(head.framing, head.contentLength)
 *     const next = body.read(bytes, end, bytes.length, sink)   // body.done, body.refusal
 */
export { BodyReader } from './body.ts'
export { ByteWriter } from './byte-writer.ts'
export { equalsFolded, latin1 } from './bytes.ts'
export { type Framing, isNamedByConnection, namesInConnection } from './field-values.ts'
export { type FieldTable, incomplete, maxFields, refused } from './fields.ts'
export { type HeadEdits, type Hop, openRequestHead, writeRequestHead } from './forward-request.ts'
export { type ConnectionField, connectionField, writeResponseHead } from './forward-response.ts'
export { field } from './known-fields.ts'
export { type CodecLimits, defaultCodecLimits } from './limits.ts'
export { isIdempotent, type Method } from './method.ts'
export { type Refusal, refusals } from './refusal.ts'
export { parseRequestHead, RequestHead } from './request-head.ts'
export { parseResponseHead, ResponseHead } from './response-head.ts'
export type { BodyForm, SpanSink } from './span-sink.ts'
