import { request } from 'node:http'
import { seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, dated, eventually, hello } from './testing/harness.ts'

const { gatewayFor, httpUpstream, rawUpstream, clientOf } = fixture()

const get = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const put = (fields: string, body = '') => `PUT /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`
const statuses = (received: string) => received.match(/(?<=HTTP\/1\.1 )\d+/g) ?? []

describe('Expect: 100-continue', () => {
  const expecting = put('Content-Length: 5\r\nExpect: 100-continue\r\n')

  it('is asked of the instance, and its 100 passed on before the body is sent', async () => {
    const upstream = await rawUpstream((socket, text) => {
      socket.write(text.startsWith('PUT') ? 'HTTP/1.1 100 Continue\r\nX: y\r\n\r\n' : hello, 'latin1')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(expecting)
    await client.until('HTTP/1.1 100 Continue\r\nX: y\r\n\r\n')
    expect(upstream.received()).toContain('Expect: 100-continue\r\n')
    await client.send('howdy').until('hello')
    await client.send(get()).until(() => client.received.endsWith(`${hello}${hello}`))
    expect(upstream.accepted()).toBe(1)
  })

  it('may be answered at once: then the body is not wanted any more', async () => {
    const upstream = await rawUpstream(socket => {
      socket.write(`HTTP/1.1 417 Expectation Failed\r\n${dated}Content-Length: 2\r\n\r\nno`, 'latin1')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(expecting)
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 417 [\s\S]*Connection: close\r\n\r\nno$/)
    await eventually(() => upstream.sockets.size === 0)
  })

  it('may be overheard: a client sends its body after a while all the same', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.includes('howdy')) socket.write(hello)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(expecting)
    await eventually(() => upstream.received().includes('Expect'))
    await client.send('howdy').until('hello')
    expect(statuses(client.received)).toEqual(['200'])
  })

  it('and nothing after the 100 ends in time', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.startsWith('PUT')) socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
    })
    const { gateway } = await gatewayFor([upstream.port], { responseMs: 60 })
    const client = clientOf(gateway.port).send(expecting)
    await client.until('\r\n\r\n')
    await client.send('howdy').until('response_timeout')
  })
})

describe('1xx', () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'

  it('passes as it comes, before the answer and with it, but not to HTTP/1.0', async () => {
    const upstream = await rawUpstream(answering(`${hint}HTTP/1.1 102 Processing\r\n\r\n${hello}`))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get())
    await client.until('hello')
    expect(client.received).toBe(`${hint}HTTP/1.1 102 Processing\r\n\r\n${hello}`)
    const old = clientOf(gateway.port).send('GET / HTTP/1.0\r\n\r\n')
    expect(statuses(await old.untilEnd())).toEqual(['200'])
  })

  it('without end is no answer', async () => {
    const upstream = await rawUpstream(socket => {
      const more = () => void (socket.destroyed || socket.write(hint.repeat(10), 'latin1', more))
      more()
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get())
    await client.until('bad_response')
    await eventually(() => upstream.sockets.size === 0)
  })
})

describe('an answer that comes before the request has ended', () => {
  it('reaches the client even if the instance closes at once and takes no more', async () => {
    const port = await httpUpstream((incoming, response) => {
      let size = 0
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size < 100_000 || response.writableEnded) return
        response.writeHead(413, { connection: 'close' })
        response.end('x'.repeat(20_000))
      })
    })
    const { gateway } = await gatewayFor([port])
    for (let i = 0; i < 20; i++) {
      const answer = await new Promise<string>(resolve => {
        const headers = { 'content-length': 5_000_000 }
        const call = request({ port: gateway.port, method: 'PUT', headers, agent: false }, response => {
          let size = 0
          response.on('data', (chunk: Buffer) => {
            size += chunk.length
          })
          response.on('end', () => resolve(`${response.statusCode} ${size}`))
          response.on('error', error => resolve(error.message))
        })
        call.on('error', error => resolve(error.message))
        call.end(Buffer.alloc(5_000_000))
      })
      expect(answer).toBe('413 20000')
    }
  })

  it('and goes on beside it is passed on, and both ends are waited for', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.startsWith('PUT'))
        socket.write(`HTTP/1.1 200 OK\r\n${dated}Transfer-Encoding: chunked\r\n\r\n`, 'latin1')
      if (text.includes('3\r\n')) socket.write('5\r\nfirst\r\n')
      if (text.includes('0\r\n\r\n')) socket.write('0\r\n\r\n')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(put('Transfer-Encoding: chunked\r\n'))
    await client.until('chunked\r\n\r\n')
    await client.send('3\r\nabc\r\n').until('first')
    await client.send('0\r\n\r\n').until('0\r\n\r\n')
    client.received = ''
    await client.send(put('Content-Length: 0\r\n')).until('\r\n\r\n')
    expect(upstream.accepted()).toBe(1)
  })
})

describe('Max-Forwards', () => {
  const ask = (method: string, fields: string) => `${method} /x HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

  it('is one less at the instance, for OPTIONS and TRACE alone', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    for (const text of [
      ask('OPTIONS', 'max-forwards: 10\r\n'),
      ask('TRACE', 'Max-Forwards: 1\r\nX: y\r\n'),
      ask('GET', 'Max-Forwards: 0\r\n'),
      ask('OPTIONS', 'Max-Forwards: soon\r\n'),
    ])
      await clientOf(gateway.port).send(text).until('hello')
    const values = [...upstream.received().matchAll(/^Max-Forwards: (.*)\r$/gim)].map(([, value]) => value)
    expect(values).toEqual(['9', '0', '0', 'soon'])
  })

  it('of 0 ends here, whoever it is for', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    await client.send(ask('OPTIONS', 'Max-Forwards: 0\r\nContent-Length: 0\r\n')).until('\r\n\r\n')
    expect(client.received).toMatch(
      /^HTTP\/1.1 200 OK\r\nDate: .*\r\nContent-Length: 0\r\nAllow: GET, .*\r\n\r\n$/,
    )
    client.received = ''
    await client.send(ask('TRACE', 'Max-Forwards: 000\r\nCookie: secret\r\n')).until('}\n')
    expect(client.received).toMatch(/^HTTP\/1.1 405 Method Not Allowed\r\n[\s\S]*Allow: GET, /)
    expect(client.received).not.toContain('secret')
    expect(upstream.received()).toBe('')
    client.received = ''
    await client.send(get()).until('hello')
  })
})

describe('Date', () => {
  const dates = (received: string) => [...received.matchAll(/^Date: (.*)\r$/gm)].map(([, text = '']) => text)

  it('is added to an answer that has none, of whatever version, and to none that has one', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.includes('/none')) socket.write('HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')
      else if (text.includes('/own')) socket.write(hello.replace('Date:', 'Connection: date\r\ndate:'))
      else socket.end('HTTP/1.0 200 OK\r\n\r\nthe end')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    await client.send(get('/none')).until('204 No Content')
    await client.send(get('/own')).until('hello')
    await client.send(get('/old')).until('the end')
    const [first = '', ...more] = dates(client.received)
    expect(first).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    expect(Math.abs(Date.now() - Date.parse(first))).toBeLessThan(10_000)
    expect(more).toHaveLength(1)
    expect(client.received).toContain('date: Sun, 06 Nov 1994 08:49:37 GMT\r\n')
    expect(client.received).toMatch(/103 Hints\r\n\r\n/)
  })

  it('is in what the gateway answers itself', async () => {
    const { gateway } = await gatewayFor(
      [],
      {},
      {
        routes: [{ match: { path: '/else' }, redirect: { path: '/' } }],
        exposed: [],
      },
    )
    const client = clientOf(gateway.port)
    await client.send(get('/else')).until('308 Permanent Redirect')
    await client.send(get('/none')).until('404 Not Found')
    await client.send('nonsense\r\n\r\n').untilEnd()
    expect(statuses(client.received)).toEqual(['308', '404', '400'])
    expect(dates(client.received)).toHaveLength(3)
  })
})

describe('answers without a body', () => {
  it('are taken for such whatever they claim, and 205 like any other', async () => {
    const answers: Record<string, string> = {
      '/204': `HTTP/1.1 204 No Content\r\n${dated}Content-Length: 0\r\n\r\n`,
      '/205': `HTTP/1.1 205 Reset Content\r\n${dated}Content-Length: 0\r\n\r\n`,
      '/304': `HTTP/1.1 304 Not Modified\r\n${dated}Transfer-Encoding: chunked\r\nETag: "x"\r\n\r\n`,
      '/last': hello,
    }
    const upstream = await rawUpstream((socket, text) => {
      for (const [, path = ''] of text.matchAll(/^GET (\S+)/gm)) socket.write(answers[path] ?? '', 'latin1')
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(Object.keys(answers).map(get).join(''))
    await client.until('hello')
    expect(client.received).toBe(
      `HTTP/1.1 204 No Content\r\n${dated}\r\n${answers['/205']}${answers['/304']}${hello}`,
    )
    expect(upstream.accepted()).toBe(1)
  })

  it('claim no chunks to a client of HTTP/1.0', async () => {
    const upstream = await rawUpstream(
      answering(`HTTP/1.1 200 OK\r\n${dated}Transfer-Encoding: chunked\r\n\r\n`),
    )
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send('HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    await client.until('\r\n\r\n')
    expect(client.received).toBe(`HTTP/1.1 200 OK\r\n${dated}Connection: keep-alive\r\n\r\n`)
  })
})

describe('request targets', () => {
  it.each([
    ['OPTIONS * HTTP/1.1\r\nHost: a', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n'],
    ['OPTIONS http://b:81 HTTP/1.1\r\nHost: a', 'OPTIONS * HTTP/1.1\r\n'],
    ['GET http://b:81/x?y HTTP/1.1\r\nHost: a', 'GET /x?y HTTP/1.1\r\n'],
    ['GET https://b:81/x HTTP/1.1\r\nHost: a', 'GET /x HTTP/1.1\r\n'],
    ['GET http://b?y HTTP/1.1\r\nHost: a', 'GET /?y HTTP/1.1\r\n'],
    ['GET HTTP://b HTTP/1.0', 'GET / HTTP/1.1\r\n'],
    ['GET //b/c HTTP/1.1\r\nHost: a', 'GET //b/c HTTP/1.1\r\n'],
  ])('%j go on as %j', async (sent, seen) => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    await clientOf(gateway.port).send(`${sent}\r\n\r\n`).until('hello')
    expect(upstream.received().startsWith(seen)).toBe(true)
    expect(upstream.received().match(/^Host: .*$/gm)).toEqual([
      sent.includes('//b:81')
        ? 'Host: b:81'
        : sent.includes('p://b') || sent.includes('P://b')
          ? 'Host: b'
          : 'Host: a',
    ])
  })
})

describe('a hundred pipelined requests with all kinds of bodies', () => {
  it('are answered in order, each with its own body, however they are cut', async () => {
    const port = await httpUpstream((incoming, response) => {
      const parts: Buffer[] = []
      incoming.on('data', part => parts.push(part))
      incoming.on('end', () => {
        const answer = `<${incoming.method} ${incoming.url} ${Buffer.concat(parts).toString('latin1')}>`
        const delay = Number(incoming.url?.slice(1)) % 7 === 0 ? 5 : 0
        if (Number(incoming.url?.slice(1)) % 3 === 0) response.setHeader('content-length', answer.length)
        setTimeout(() => response.end(incoming.method === 'HEAD' ? undefined : answer), delay)
      })
    })
    const { gateway } = await gatewayFor([port])
    const expected: string[] = []
    let text = ''
    for (let i = 0; i < 100; i++) {
      const body = 'b'.repeat(i % 11)
      const head = (method: string, fields = '') => `${method} /${i} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
      if (i % 5 === 0) text += head('GET')
      else if (i % 5 === 1) text += `${head('POST', `Content-Length: ${body.length}\r\n`)}${body}`
      else if (i % 5 === 2) {
        const chunks = [...body].map(byte => `1;x=y\r\n${byte}\r\n`).join('')
        text += `${head('PUT', 'Transfer-Encoding: chunked\r\n')}${chunks}0\r\nX-T: 1\r\n\r\n`
      } else if (i % 5 === 3) text += head('HEAD')
      else text += `\r\n${head('DELETE')}`
      const method = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE'][i % 5] ?? ''
      if (method !== 'HEAD') expected.push(`<${method} /${i} ${i % 5 === 1 || i % 5 === 2 ? body : ''}>`)
    }
    for (const step of [text.length, 1, 7, 64, 1000]) {
      const client = clientOf(gateway.port)
      for (let at = 0; at < text.length; at += step) {
        client.send(text.slice(at, at + step))
        if (at % 16 === 0) await new Promise(setImmediate)
      }
      await client.until('/99 >')
      expect(client.received.match(/<[A-Z]+ \/\d+ b*>/g)).toEqual(expected)
      expect(statuses(client.received)).toHaveLength(100)
    }
  })
})

describe('instances that close idle connections at random moments', () => {
  it('fail none of 2,000 idempotent requests', async () => {
    const random = seededRandom(5)
    const instance = () =>
      rawUpstream((socket, text) => {
        if (!text.startsWith('GET')) return
        socket.write(hello)
        // Some close at once, some as the next request comes, some later; and some with a reset.
        const dice = random()
        const close = () => (random() < 0.5 ? socket.end() : socket.resetAndDestroy())
        if (dice < 0.2) setImmediate(close)
        else if (dice < 0.4) setTimeout(close, random() * 4)
        else if (dice < 0.5) socket.once('data', () => socket.resetAndDestroy())
      })
    const upstreams = [await instance(), await instance(), await instance()]
    const { gateway } = await gatewayFor(upstreams.map(({ port }) => port))
    const clients = Array.from({ length: 10 }, () => clientOf(gateway.port))
    await Promise.all(
      clients.map(async client => {
        for (let i = 0; i < 200; i++) {
          client.received = ''
          await client.send(get()).until('\r\n\r\nhello')
          expect(client.received).toBe(hello)
          if (random() < 0.3) await new Promise(resolve => setTimeout(resolve, random() * 5))
        }
      }),
    )
    const { classes, retries } = gateway.stats.of('order')
    expect(classes[2]).toBe(2000)
    expect(retries).toBeGreaterThan(10)
  }, 60_000)
})
