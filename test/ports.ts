import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that a system hands out by itself (Linux: from 32768, others: from 49152), to port 0 and to outgoing
 * connections: nobody gets one by chance between our look at it and its use.
 */
const first = 20_000
const count = 12_000
/** Processes that run at the same time begin at different places. */
const ours = 64

let next = (process.pid * ours) % count

/** A port of 127.0.0.1 where nobody listens; the same process gets another one each time. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < count; tried++) {
    const port = first + next
    next = (next + 1) % count
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return true
  } catch {
    return false
  } finally {
    if (server.listening) await once(server.close(), 'close')
  }
}
