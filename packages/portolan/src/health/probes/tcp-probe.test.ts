import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TcpCheck } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { isOwnEcho } from './own-echo.ts'
import type { ProbeTarget } from './probe.ts'
import { tcpProbe } from './tcp.ts'
import { look, probeContract } from './testing/probe-contract.ts'
import { freePort, instanceAt, type Listening, listen, listenDeaf, portOf } from './testing/targets.ts'

const check: TcpCheck = { type: 'tcp', id: 'tcp', intervalMs: 1000, timeoutMs: 500, rise: 2 }
function target(
  port: Parameters<typeof instanceAt>[0],
  more: Parameters<typeof instanceAt>[1] = {},
  wanted?: string | number,
): ProbeTarget<TcpCheck> {
  return {
    instance: instanceAt(port, more),
    check: wanted === undefined ? check : { ...check, port: wanted },
    fresh: false,
  }
}

const open: Listening[] = []
async function opened(
  serve: (socket: Socket) => void = () => {},
  host?: string,
  allowHalfOpen = false,
): Promise<Listening> {
  const listening = await listen(serve, { host, allowHalfOpen })
  open.push(listening)
  return listening
}

const probe = tcpProbe()
afterEach(async () => {
  await probe.close()
  await Promise.all(open.splice(0).map(each => each.close()))
})

probeContract('tcp', async () => {
  const server = await listen(socket => socket.resume())
  const deaf = await listenDeaf()
  return {
    probe: tcpProbe(),
    passing: target(server.port),
    silent: target(deaf.port),
    refused: target(await freePort()),
    odd: [
      [target([portOf(53, { protocol: 'udp' })]), /no port but UDP/],
      [target([portOf(53, { protocol: 'udp' })], {}, 'main'), /port main is UDP/],
      [target(server.port, {}, 'admin'), /no port named admin; it has main/],
      [target(server.port, {}, 70_000), /70000 is no port/],
      [target([]), /no port/],
      [target(server.port, { addresses: [] }), /no address/],
      [target(server.port, { addresses: ['fe80::1%nowhere'] }), /fe80::1%nowhere/],
    ],
    async close() {
      await Promise.all([server.close(), deaf.close()])
    },
  }
})

describe('the TCP probe', () => {
  it('is content with one address of several, and refused only by all', async () => {
    const { port } = await opened()
    const closed = await freePort()
    const finding = (addresses: string[], number: number) => look(probe, target(number, { addresses }))
    expect(await finding(['127.0.0.2', '127.0.0.1'], port)).toMatchObject({ status: 'passing' })
    expect(await finding(['127.0.0.2', '127.0.0.3'], closed)).toMatchObject({ presence: 'refused' })
    expect(await finding(['::1', '127.0.0.1'], closed)).toMatchObject({ presence: 'refused' })
    expect(await finding(['127.0.0.2', 'fe80::1%nowhere'], closed)).toMatchObject({ presence: 'silent' })
  })

  it('does not wait for an address that is silent', async () => {
    const deaf = await listenDeaf()
    const second = await listen(() => {}, { host: '127.0.0.2', port: deaf.port })
    open.push(second)
    const before = second.accepted()
    expect(await look(probe, target(deaf.port, { addresses: ['127.0.0.1', '127.0.0.2'] }))).toMatchObject({
      status: 'passing',
    })
    expect(second.accepted()).toBe(before + 1)
    await deaf.close()
  })

  it('reads IPv6 with a zone id', async () => {
    const { port } = await opened(() => {}, '::1')
    expect(await look(probe, target(port, { addresses: ['::1%lo'] }))).toMatchObject({ status: 'passing' })
  })

  it('goes to the port of that name or number, even one that is not registered', async () => {
    const { port } = await opened()
    const closed = await freePort()
    const ports = [portOf(closed), portOf(port, { name: 'admin', protocol: 'tcp' })]
    expect(await look(probe, target(ports))).toMatchObject({ presence: 'refused' })
    expect(await look(probe, target(ports, {}, 'admin'))).toMatchObject({ status: 'passing' })
    expect(await look(probe, target(ports, {}, port))).toMatchObject({ status: 'passing' })
    expect(await look(probe, target(closed, {}, port))).toMatchObject({ status: 'passing' })
    const withUdp = [portOf(port, { protocol: 'udp' }), portOf(port, { name: 'same', protocol: 'tcp' })]
    expect(await look(probe, target(withUdp, {}, port))).toMatchObject({ status: 'passing' })
  })

  it('lets a server that speaks first end without a reset', async () => {
    const ends: string[] = []
    const { port } = await opened(
      socket => {
        // After the probe has settled and ended: a closed socket would answer this with a reset.
        setTimeout(() => socket.write('220 ready\r\n', () => setTimeout(() => socket.end('bye\r\n'), 20)), 20)
        socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message))
        socket.on('end', () => ends.push('end'))
        socket.on('close', () => ends.push('close'))
        socket.resume()
      },
      '127.0.0.1',
      true,
    )
    expect(await look(probe, target(port))).toMatchObject({ status: 'passing' })
    await expect.poll(() => ends).toEqual(['end', 'close'])
  })

  it('does not wait for ever for the end of a server that never ends', { timeout: 20_000 }, async () => {
    const { port, open: connections } = await opened(() => {}, '127.0.0.1', true)
    expect(await look(probe, target(port))).toMatchObject({ status: 'passing' })
    await expect.poll(() => connections.size).toBe(1)
    let gone = false
    for (const socket of connections) socket.on('error', () => (gone = true)).on('close', () => (gone = true))
    await expect
      .poll(
        () => {
          // Whether the far end is really gone shows when something is sent to it.
          for (const socket of connections) socket.write('?')
          return gone
        },
        { timeout: 10_000, interval: 100 },
      )
      .toBe(true)
  })

  it('knows a connection that leads back to itself', async () => {
    const port = await freePort()
    const self = connect({ port, host: '127.0.0.1', localPort: port, localAddress: '127.0.0.1' })
    await once(self, 'connect')
    expect(isOwnEcho(self, port)).toBe(true)
    self.destroy()
    const other = connect((await opened()).port, '127.0.0.1')
    await once(other, 'connect')
    expect(isOwnEcho(other, other.remotePort ?? 0)).toBe(false)
    other.destroy()
  })
})
