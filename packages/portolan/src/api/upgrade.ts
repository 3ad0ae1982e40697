import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Fault, toFault } from '@portolan/core'
import type { ApiContext } from './context.ts'
import { secretOf } from './guard/credentials.ts'
import { type Doors, refusal } from './guard/guard.ts'
import { apiPrefix } from './http/mount.ts'
import { writeProblemTo } from './problem/raw.ts'
import type { Sessions } from './session/sessions.ts'

const sessionPath = `${apiPrefix}/session`

/** Who asks for a websocket is checked like every request: Host, Origin, path, token. */
export function upgradeListener({ access, metrics }: ApiContext, doors: Doors, sessions: Sessions) {
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    try {
      const refused = refusal(request, doors)
      if (refused !== undefined) throw refused
      if (request.url?.split('?')[0] !== sessionPath) throw nothingHere()
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw nothingHere()
      const secret = secretOf(request.headers.authorization)
      sessions.accept(request, socket, head, { secret, identity: access.authenticate(secret) })
    } catch (thrown) {
      const fault = toFault(thrown)
      metrics.refused.inc({ code: fault.code })
      writeProblemTo(socket, fault)
    }
  }
}

function nothingHere(): Fault {
  return new Fault('not_found', 'there is no websocket here', {
    source: 'caller',
    hint: `the session websocket is at ${sessionPath}`,
  })
}
