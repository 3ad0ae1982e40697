import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, dated, eventually, hello, standstill } from './testing/harness.ts'

const { gatewayFor, httpUpstream, rawUpstream, clientOf } = fixture()

const post = (fields: string, body = '') => `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`
const chunked = 'Transfer-Encoding: chunked\r\n'

describe('bodies through the gateway', () => {
  it('come and go as they were, by length and in chunks', async () => {
    const port = await httpUpstream((incoming, response) => {
      if (incoming.headers['content-length'] !== undefined) {
        response.setHeader('content-length', incoming.headers['content-length'])
      }
      incoming.pipe(response)
    })
    const { gateway } = await gatewayFor([port])
    for (const size of [0, 1, 100, 16_383, 16_384, 65_536, 65_537, 1_000_000, 5_000_000]) {
      for (const byLength of [true, false]) {
        const sent = randomBytes(size)
        const got = await new Promise<Buffer>((resolve, reject) => {
          const headers = byLength ? { 'content-length': size } : { 'transfer-encoding': 'chunked' }
          const call = request({ port: gateway.port, method: 'PUT', headers }, response => {
            const parts: Buffer[] = []
            response.on('data', part => parts.push(part)).on('end', () => resolve(Buffer.concat(parts)))
          })
          call.on('error', reject)
          call.end(sent)
        })
        expect(createHash('sha1').update(got).digest('hex')).toBe(
          createHash('sha1').update(sent).digest('hex'),
        )
      }
    }
  })

  it('lose trailers that only the gateway may write, and those that Connection names, both ways', async () => {
    const ours = ['X-Forwarded-For', 'x_forwarded_proto', 'X-Forwarded-Host', 'Portolan-Hop']
    const trailers = [...ours, 'x-request-timeout-ms', 'X_Gone'].map(name => `${name}: 1\r\n`).join('')
    const coded = 'Connection: x-gone\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n'
    const upstream = await rawUpstream(socket => {
      socket.write(`HTTP/1.1 200 OK\r\n${coded}X-Gone: 1\r\nX-Sum: 2\r\n\r\n`, 'latin1')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    await client.send(`PUT / HTTP/1.1\r\nHost: a\r\n${coded}${trailers}X-Sum: 3\r\n\r\n`).until('X-Sum')
    expect(upstream.received()).toMatch(/\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 3\r\n\r\n$/)
    expect(client.received).toMatch(/\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 2\r\n\r\n$/)
  })

  it('pass trailers both ways, without those that frame or route', async () => {
    const wire = '3\r\nabc\r\n0\r\nX-Sum: 6\r\nHost: evil\r\n\r\n'
    const kept = '3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n'
    const upstream = await rawUpstream((socket, text) => {
      if (text.includes('X-Sum')) socket.write(`HTTP/1.1 200 OK\r\n${dated}${chunked}\r\n${wire}`)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(post(chunked, wire))
    await client.until(kept)
    expect(client.received).toBe(`HTTP/1.1 200 OK\r\n${dated}${chunked}\r\n${kept}`)
    expect(upstream.received().endsWith(`\r\n\r\n${kept}`)).toBe(true)
  })

  it('of chunks become bare content for HTTP/1.0', async () => {
    const upstream = await rawUpstream(
      answering(`HTTP/1.1 200 OK\r\n${dated}${chunked}\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n`),
    )
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    expect(await client.untilEnd()).toBe(`HTTP/1.1 200 OK\r\n${dated}Connection: close\r\n\r\nabcde`)
    expect(upstream.received()).toContain('Host: order\r\n')
  })

  it('by length keep an HTTP/1.0 connection open where the client asked for it', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    for (let i = 1; i <= 2; i++) {
      client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
      await client.until(() => client.received.split('hello').length === i + 1)
    }
    expect(client.received).toContain('Connection: keep-alive\r\n')
    client.send('GET / HTTP/1.0\r\n\r\n')
    expect(await client.untilEnd()).toMatch(/Connection: close\r\n\r\nhello$/)
  })

  it('that end with the connection are passed on so', async () => {
    const upstream = await rawUpstream(socket => socket.end(`HTTP/1.0 200 OK\r\n${dated}\r\nall of it`))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await client.untilEnd()).toBe(`HTTP/1.1 200 OK\r\n${dated}Connection: close\r\n\r\nall of it`)
    expect(client.error).toBeUndefined()
  })

  it('are not expected of HEAD, 204 and 304', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.startsWith('HEAD')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n')
      else if (text.includes('/204')) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
      else if (text.includes('/304')) socket.write('HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n')
      else socket.write(hello)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(
      ['HEAD /', 'GET /204', 'GET /304', 'GET /'].map(line => `${line} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
    )
    await client.until('hello')
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 204',
      'HTTP/1.1 304',
      'HTTP/1.1 200',
    ])
    expect(upstream.accepted()).toBe(1)
  })

  it('wait for 100 (Continue) where the client does', async () => {
    const port = await httpUpstream((incoming, response) => void incoming.pipe(response))
    const { gateway } = await gatewayFor([port])
    const client = clientOf(gateway.port)
    client.send(post('Content-Length: 5\r\nExpect: 100-continue\r\n'))
    await client.until('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('howdy')
    expect(await client.until('howdy')).toContain('HTTP/1.1 200 OK')
  })

  it('that are not wanted any more end the connection after the early answer', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.startsWith('POST')) socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(post('Content-Length: 1000000\r\n', 'x'))
    expect(await client.untilEnd()).toContain('403 Forbidden')
    await eventually(() => upstream.sockets.size === 0)
    expect(gateway.stats.of('order').classes[4]).toBe(1)
  })

  it('refused in their chunks end both connections', async () => {
    const upstream = await rawUpstream(() => {})
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(post(chunked, '3\r\nabc\r\n'))
    await eventually(() => upstream.received().includes('abc'))
    client.send('zzz\r\n')
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 400 [\s\S]*Portolan-Error: bad_chunk_size/)
    await eventually(() => upstream.sockets.size === 0)
  })

  it('refused in the midst of an answer cut it, without a word into it', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.startsWith('POST')) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst`)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(post(chunked, '3\r\nabc\r\n'))
    await client.until('first')
    client.send('zzz\r\n')
    await eventually(() => client.closed)
    expect(client.received).toMatch(/first$/)
    expect(client.error).toMatchObject({ code: 'ECONNRESET' })
    await eventually(() => upstream.sockets.size === 0)
  })

  it('reach a slow client whole, even when it asked for the connection to be closed', async () => {
    const total = 12 * 1024 * 1024
    const port = await httpUpstream((_incoming, response) => response.end(Buffer.alloc(total, 'x')))
    const { gateway } = await gatewayFor([port], { bodyIdleMs: 1500 })
    const client = clientOf(gateway.port).send('GET / HTTP/1.0\r\n\r\n')
    let received = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', chunk => {
      received += chunk.length
      client.socket.pause()
      setTimeout(() => client.socket.resume(), 10)
    })
    await eventually(() => client.ended)
    expect(received).toBeGreaterThan(total)
    expect(client.error).toBeUndefined()
  })

  it('from a fast upstream wait for a slow client in bounded memory', async () => {
    const total = 64 * 1024 * 1024
    let written = 0
    const port = await httpUpstream((_incoming, response) => {
      response.setHeader('content-length', total)
      const piece = Buffer.alloc(65_536, 'x')
      const more = (): void => {
        while (written < total) {
          written += piece.length
          if (!response.write(piece)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    })
    const { gateway } = await gatewayFor([port])
    const client = clientOf(gateway.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    client.socket.pause()
    await standstill(() => written)
    // What the two kernels' socket buffers take is not ours; the rest must have stayed upstream.
    expect(written).toBeLessThan(total / 2)
    let received = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', chunk => {
      received += chunk.length
    })
    client.socket.resume()
    await eventually(() => received > total)
  })

  it('from a fast client wait for a slow upstream in bounded memory', async () => {
    const upstream = await rawUpstream(socket => socket.pause())
    const { gateway } = await gatewayFor([upstream.port])
    const total = 64 * 1024 * 1024
    const client = clientOf(gateway.port).send(post(`Content-Length: ${total}\r\n`))
    let written = 0
    const piece = Buffer.alloc(65_536, 'x')
    const more = (): void => {
      while (written < total) {
        written += piece.length
        if (client.socket.write(piece)) continue
        client.socket.once('drain', more)
        return
      }
    }
    more()
    await standstill(() => written)
    expect(written).toBeLessThan(total / 2)
    let received = 0
    for (const socket of upstream.sockets) {
      socket.removeAllListeners('data')
      socket.on('data', chunk => {
        received += chunk.length
      })
      socket.resume()
    }
    await eventually(() => received > total - 100_000)
  })
})
