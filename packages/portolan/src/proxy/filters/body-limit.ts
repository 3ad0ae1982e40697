import { refusals } from '../codec/codec.ts'
import type { FilterEntry } from './station.ts'

/** Takes no larger bodies: one that says its length is not even read, a chunked one is counted on its way. */
export const bodyLimit: FilterEntry = {
  name: 'body-limit',
  why: 'before what counts requests or asks somebody about them: one that is too large is not taken anyhow',
  make({ route, table }) {
    const most = route?.maxBody ?? table.maxBody
    if (typeof most !== 'number' || !(most > 0)) return undefined
    return {
      request(request) {
        const { framing, contentLength } = request.head
        if (framing === 'length' && contentLength > most) return refusals.bodyTooLarge
        request.maxBody = most
        return undefined
      },
    }
  },
}
