import { swapPrefix } from '../routing/swap-prefix.ts'
import type { FilterEntry } from './station.ts'

/** Asks instances for another path than clients write, or by another Host. */
export const rewrite: FilterEntry = {
  name: 'rewrite',
  why: 'after what tells of a request as the client wrote it, and before what may ask somebody else about it',
  make({ route }) {
    const { path, host } = route?.rewrite ?? {}
    if (path === undefined && host === undefined) return undefined
    const prefix = route?.match.path ?? ''
    return {
      request(request) {
        if (host !== undefined) request.host = host
        if (path === undefined) return undefined
        const { path: written, method } = request
        // `OPTIONS *`, and the same as an absolute target, ask about the server and not for a path.
        const isServer = written === '*' || (written === '' && method === 'OPTIONS')
        if (!isServer) request.target = swapPrefix(written, prefix, path)
        return undefined
      },
    }
  },
}
