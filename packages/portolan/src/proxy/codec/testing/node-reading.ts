import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'

/** What one recipient makes of one request of a byte stream. */
export interface Reading {
  readonly method: string
  readonly target: string
  readonly version: string
  /** Lower-case name and trimmed value of every field, in order, one character a byte. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
}

export interface Readings {
  readonly requests: readonly Reading[]
  /** Why reading ended before the bytes did. */
  readonly refusal: string | undefined
}

/** A connection on which these bytes arrive, then their end; what is written to it goes nowhere. */
function connectionWith(bytes: Buffer): Duplex {
  return new Duplex({
    read() {
      this.push(bytes)
      this.push(null)
    },
    write(_chunk, _encoding, done) {
      done()
    },
  })
}

function pairs(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    fields.push([(raw[i] ?? '').toLowerCase(), (raw[i + 1] ?? '').replace(/^[ \t]+|[ \t]+$/g, '')])
  }
  return fields
}

/** Reads a stream of requests with Node's own server: only those whose body is complete count. */
export function readByNode(text: string): Promise<Readings> {
  // In the order of their heads: a CONNECT is known at once, the body before it only later.
  const slots: (Reading | undefined)[] = []
  let refusal: string | undefined
  const take = (request: IncomingMessage, response?: ServerResponse): void => {
    const index = slots.push(undefined) - 1
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      slots[index] = {
        method: request.method ?? '',
        target: request.url ?? '',
        version: request.httpVersion,
        fields: pairs(request.rawHeaders),
        body,
      }
      response?.end()
    })
    request.on('error', () => undefined)
  }
  const server = createServer({ maxHeaderSize: 65_536, requireHostHeader: false }, take)
  server.on('checkContinue', take)
  server.on('checkExpectation', take)
  server.on('connect', request => {
    // After CONNECT comes a tunnel: there is nothing more to read as HTTP.
    slots.push({
      method: 'CONNECT',
      target: request.url ?? '',
      version: request.httpVersion,
      fields: pairs(request.rawHeaders),
      body: '',
    })
    setImmediate(() => stream.destroy())
  })
  const stream = connectionWith(Buffer.from(text, 'latin1'))
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(late)
      stream.destroy()
      const missing = slots.indexOf(undefined)
      const whole = missing < 0 ? slots : slots.slice(0, missing)
      resolve({ requests: whole.filter(reading => reading !== undefined), refusal })
    }
    const late = setTimeout(finish, 1000)
    server.on('clientError', (error: NodeJS.ErrnoException) => {
      refusal ??= error.code ?? error.message
      setImmediate(finish)
    })
    stream.on('finish', () => setImmediate(finish))
    stream.on('close', finish)
    server.emit('connection', stream)
  })
}
