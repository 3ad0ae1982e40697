import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { formatOwner, parseSockets, portOwner } from './port-owner.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

function listen(host: string): Promise<number> {
  const server = createServer()
  servers.push(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve((server.address() as { port: number }).port))
  })
}

describe('who listens on a port', () => {
  it('finds the sockets that listen, and no others', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1CE8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
      '   1: 0100007F:1CE8 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1',
      '   2: 00000000000000000000000001000000:1D38 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4713 1 0',
      '',
    ].join('\n')
    expect(parseSockets(table)).toEqual([
      { port: 7400, inode: '4711' },
      { port: 7480, inode: '4713' },
    ])
  })

  it.each(['127.0.0.1', '::1'])('names this process for its own port on %s', async host => {
    const port = await listen(host)
    const owner = portOwner(port)
    expect(owner?.pid).toBe(process.pid)
    expect(owner === undefined ? '' : formatOwner(owner)).toMatch(
      new RegExp(`^held by pid ${process.pid} \\(.*node`),
    )
  })

  it('says nothing of a port that nobody has', async () => {
    const port = await listen('127.0.0.1')
    await new Promise(resolve => servers.pop()?.close(resolve))
    expect(portOwner(port)).toBeUndefined()
  })

  it('says nothing where there is no /proc', () => {
    expect(portOwner(80, '/no/such/proc')).toBeUndefined()
  })
})
