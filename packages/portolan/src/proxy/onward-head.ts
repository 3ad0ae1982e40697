import {
  type ByteWriter,
  type Hop,
  openRequestHead,
  type RequestHead,
  writeRequestHead,
} from './codec/codec.ts'
import type { RequestContext } from './filters/filter.ts'
import { type Outgoing, take } from './outgoing.ts'
import type { Service } from './service.ts'
import { upgradeLines } from './upgrade.ts'

/**
 * Writes a request's head as an instance of the service gets it, with this gateway's mark on it.
 * @param upgrade the protocol that the request asks to go on with
 * @param isFinal false: a filter may still add lines. Then the head without its end is taken out of `out`, and returned
 */
export function writeOnwardHead(
  bytes: Uint8Array,
  head: RequestHead,
  hop: Hop,
  { name, mark }: Service,
  out: ByteWriter,
  upgrade: string | undefined,
  request: RequestContext | undefined,
  isFinal: boolean,
): Outgoing | undefined {
  const lines = head.minor === 0 ? mark.oldLines : mark.lines
  const own = upgrade === undefined ? lines : Buffer.concat([lines, Buffer.from(upgradeLines(upgrade))])
  if (isFinal) {
    writeRequestHead(bytes, head, hop, name.service, out, own, request)
    return undefined
  }
  openRequestHead(bytes, head, hop, name.service, out, own, request)
  return take(out)
}
