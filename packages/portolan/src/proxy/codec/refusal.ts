/** Why bytes are not a message that we pass on. `status` is what a client is told; from an upstream it is a 502. */
export interface Refusal {
  readonly status: 400 | 413 | 414 | 431 | 505
  /** Stable, for the header `Portolan-Error` and for metrics. */
  readonly code: string
  readonly reason: string
}

function refusal(status: Refusal['status'], code: string, reason: string): Refusal {
  return Object.freeze({ status, code, reason })
}

/** Every refusal of the codec, made once: refusing costs nothing either. */
export const refusals = {
  method: refusal(400, 'bad_method', 'the method is not a token'),
  target: refusal(400, 'bad_target', 'the request target is malformed'),
  targetTooLong: refusal(414, 'target_too_long', 'the request target is too long'),
  version: refusal(400, 'bad_version', 'the request line does not end in an HTTP version and CRLF'),
  versionUnsupported: refusal(505, 'version_unsupported', 'only HTTP/1.x is served here'),
  statusLine: refusal(400, 'bad_status_line', 'the status line is malformed'),
  lineEnd: refusal(400, 'bad_line_end', 'a line does not end in CRLF'),
  fieldName: refusal(400, 'bad_field_name', 'a field name is not a token that a colon follows at once'),
  fieldValue: refusal(400, 'bad_field_value', 'a field value contains a control character'),
  folded: refusal(400, 'folded_field', 'a field value is folded over several lines'),
  headTooLarge: refusal(431, 'head_too_large', 'the head is too large'),
  tooManyFields: refusal(431, 'too_many_fields', 'the head has too many fields'),
  host: refusal(400, 'bad_host', 'the request needs exactly one well-formed Host'),
  connection: refusal(
    400,
    'bad_connection',
    'Connection is malformed, or names a field that is not its to remove',
  ),
  contentLength: refusal(400, 'bad_content_length', 'Content-Length is not one plain decimal number'),
  transferEncoding: refusal(
    400,
    'bad_transfer_encoding',
    'Transfer-Encoding is not exactly "chunked", or comes with HTTP/1.0',
  ),
  ambiguousLength: refusal(400, 'ambiguous_length', 'both Content-Length and Transfer-Encoding are present'),
  chunkSize: refusal(400, 'bad_chunk_size', 'a chunk size is not a plain hex number, or too large'),
  chunkExtension: refusal(400, 'bad_chunk_extension', 'chunk extensions are malformed or too long'),
  chunkEnd: refusal(400, 'bad_chunk_end', 'a chunk does not end in CRLF where its size says'),
  bodyTooLarge: refusal(413, 'body_too_large', 'the body is larger than the limit'),
} as const
