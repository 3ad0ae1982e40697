// Open-loop load: so many requests a second to one address, over a few kept connections, whatever the answers do.
// Arguments: PORT RATE. On SIGUSR2, and at its end, it prints how many answers came and how many were no 200.
import { connect, type Socket } from 'node:net'

const [port, rate] = process.argv.slice(2).map(Number)
const connections = 64
const request = 'GET /order HTTP/1.1\r\nHost: order\r\n\r\n'
const end = Buffer.from('\r\n\r\nok\n')

let answered = 0
let bad = 0
let sent = 0
const idle: Socket[] = []

function open(): void {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1', noDelay: true })
  let text: Buffer = Buffer.alloc(0)
  socket.on('connect', () => idle.push(socket))
  socket.on('error', () => {})
  socket.on('close', () => {
    const index = idle.indexOf(socket)
    if (index >= 0) idle.splice(index, 1)
    else bad++
    setTimeout(open, 100)
  })
  socket.on('data', data => {
    text = text.length === 0 ? data : Buffer.concat([text, data])
    if (text.indexOf(end) < 0) {
      if (text.length > 65_536) socket.destroy()
      return
    }
    answered++
    if (!text.toString('latin1', 0, 12).endsWith('200')) bad++
    text = Buffer.alloc(0)
    idle.push(socket)
  })
}
for (let i = 0; i < connections; i++) open()

const begun = performance.now()
setInterval(() => {
  const due = Math.floor(((performance.now() - begun) * (rate ?? 0)) / 1000)
  while (sent < due) {
    const socket = idle.pop()
    // Nobody is free: the rest goes out as soon as somebody is.
    if (socket === undefined) return
    sent++
    socket.write(request, 'latin1')
  }
}, 2)

process.on('SIGUSR2', () => process.stdout.write(`${JSON.stringify({ answered, bad })}\n`))
process.stdout.write('loading\n')
