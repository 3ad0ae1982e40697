/**
 * A crowd of client connections in a process of its own, since whoever measures waits without an event loop.
 *
 *     node … program.ts idle|loris PORT COUNT
 *
 * `idle`: each asks once, and then keeps its connection without a word. `loris`: each sends a request's head a byte a
 * second, and begins anew when it is cut off. Prints `ready` when all are there; to each message of its parent it answers
 * how many are open, and how many have been closed on it so far.
 */
import { connect } from 'node:net'

const [, , kind, port, count] = process.argv
const head = `GET / HTTP/1.1\r\nHost: a\r\nX-Drip: ${'x'.repeat(100_000)}`
const stepMs = 10
const steps = 100

let open = 0
let closed = 0
let there = 0

interface Dripping {
  drip(): void
}

function dripper(): Dripping {
  let at = 0
  let isOpen = false
  let socket = start()
  function start() {
    at = 0
    return connect(Number(port), '127.0.0.1')
      .on('connect', () => {
        isOpen = true
        open++
        there++
      })
      .on('error', () => {})
      .on('data', () => {})
      .on('close', () => {
        if (isOpen) open--
        isOpen = false
        closed++
        setTimeout(() => {
          socket = start()
        }, 100)
      })
  }
  return {
    drip() {
      if (isOpen && socket.writable) socket.write(head[at++ % head.length] ?? 'x')
    },
  }
}

function idler(): void {
  const socket = connect(Number(port), '127.0.0.1')
  let isOpen = false
  socket
    .on('connect', () => {
      isOpen = true
      open++
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    })
    .once('data', () => there++)
    .on('data', () => {})
    .on('error', () => {})
    .on('close', () => {
      if (isOpen) open--
      closed++
    })
}

process.on('message', () => process.send?.({ open, closed }))

const wanted = Number(count)
const drippers: Dripping[] = []
// A few at a time: accepting all at once is another test.
for (let n = 0; n < wanted; n++) {
  if (kind === 'loris') drippers.push(dripper())
  else idler()
  while (n - there > 50) {
    if (closed > wanted) throw new Error(`connections are closed at once: ${open} open, ${closed} closed`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
while (there < wanted) await new Promise(resolve => setTimeout(resolve, 10))
let step = 0
if (kind === 'loris') {
  setInterval(() => {
    step = (step + 1) % steps
    for (let n = step; n < drippers.length; n += steps) drippers[n]?.drip()
  }, stepMs)
}
console.log('ready')
