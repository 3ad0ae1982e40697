import { defaultCodecLimits, parseRequestHead, RequestHead } from '../codec/codec.ts'

/** A head as the codec reads it out of `text`. */
export function headOf(text: string): { readonly bytes: Uint8Array; readonly head: RequestHead } {
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHead()
  head.begin(0)
  if (parseRequestHead(bytes, bytes.length, head, defaultCodecLimits) < 0)
    throw new Error(`no head: ${head.refusal?.reason ?? 'incomplete'}`)
  return { bytes, head }
}
