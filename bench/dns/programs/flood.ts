// A flood from many addresses, in a process of its own: `flood PORT NAME PER_SECOND CONNECTIONS`. Questions with long
// answers, as one sends them in another's name, and garbage over UDP; and TCP connections that begin a message and never
// end it, each again when it is closed.
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { obey } from '../../../test/faults/programs/control.ts'
import { addressOf, questionBytes } from '../question.ts'

const [port = '0', name = '', perSecond = '0', connections = '0'] = process.argv.slice(2)
const sources = 250
/** A connection that is closed on it comes again: a storm of those is another test. */
const againMs = 5000

const counts = {
  sent: 0,
  sentBytes: 0,
  answered: 0,
  answeredBytes: 0,
  truncated: 0,
  connected: 0,
  closed: 0,
  open: 0,
}

const sockets = await Promise.all(
  Array.from({ length: sources }, async (_, i) => {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) })
    socket.on('error', () => {})
    socket.on('message', message => {
      counts.answered += 1
      counts.answeredBytes += message.length
      if (((message[2] ?? 0) & 2) !== 0) counts.truncated += 1
    })
    // Where looking up takes no turn of the loop, binding takes none either.
    const listening = once(socket, 'listening')
    socket.bind({ port: 0, address: addressOf('127.66', i) })
    await listening
    return socket
  }),
)

/** A name that points at itself; and one whose length goes beyond the end. */
const broken = ['c00c00010001', 'c00e00010001', '3f61620001', '0000ff00ff'].map(question =>
  Buffer.from(`123401000001000000000000${question}`, 'hex'),
)

function packet(number: number): Buffer {
  if (number % 4 === 0)
    return questionBytes({ name: `_${name}._tcp.portolan`, type: 'SRV', size: 4096 }, number)
  if (number % 4 === 1) return questionBytes({ name: `${name}.portolan`, type: 'A', size: 4096 }, number)
  if (number % 4 === 2) return broken[(number >> 2) % broken.length] ?? Buffer.alloc(0)
  return randomBytes(1 + (number % 600))
}

const from = performance.now()
setInterval(() => {
  const due = Math.floor(((performance.now() - from) * Number(perSecond)) / 1000)
  // After a late timer it goes on from there: a burst is another test.
  for (let i = 0; counts.sent < due && i < Number(perSecond) / 100; i++) {
    const bytes = packet(counts.sent)
    sockets[counts.sent % sources]?.send(bytes, Number(port), '127.0.0.1')
    counts.sent += 1
    counts.sentBytes += bytes.length
  }
}, 2)

function halfOpen(number: number): void {
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: addressOf('127.67', number) })
  let wasOpen = false
  socket
    .on('connect', () => {
      wasOpen = true
      counts.connected += 1
      counts.open += 1
      socket.write(Buffer.from([0, 40, 18]))
    })
    .on('error', () => {})
    .on('data', () => {})
    .on('close', () => {
      if (wasOpen) counts.open -= 1
      counts.closed += 1
      setTimeout(halfOpen, againMs * (0.5 + Math.random()), number)
    })
}

obey({ counts: () => counts })
for (let i = 0; i < Number(connections); i++) {
  halfOpen(i)
  if (i % 50 === 49) await new Promise(resolve => setTimeout(resolve, 20))
}
process.stdout.write('ready\n')
