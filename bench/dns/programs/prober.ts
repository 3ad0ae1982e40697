// Asks for a service's addresses over UDP, the next time as soon as it is answered: `prober PORT NAME`. Knows when each
// address was last in an answer.
import { createSocket } from 'node:dgram'
import { monotonicMs } from '../../../test/faults/monotonic.ts'
import { obey } from '../../../test/faults/programs/control.ts'
import { questionBytes, readAnswer } from '../question.ts'

const [port = '0', name = ''] = process.argv.slice(2)
/** Nothing may be lost between two programs of one machine: whoever is silent for so long was not there yet. */
const silentMs = 50

const last = new Map<string, number>()
const counts = { answers: 0, others: 0 }
let id = 0
let askedAt = 0
const socket = createSocket('udp4')

const ask = (): void => {
  askedAt = monotonicMs()
  id = (id + 1) & 0xffff
  socket.send(questionBytes({ name, type: 'A' }, id), Number(port), '127.0.0.1')
}

socket.on('message', message => {
  if (message.readUInt16BE(0) !== id) return
  const at = monotonicMs()
  const { rcode, answers } = readAnswer(message)
  if (rcode === 0) counts.answers += 1
  else counts.others += 1
  for (const address of answers) last.set(address, at)
  ask()
})
setInterval(() => {
  if (monotonicMs() - askedAt > silentMs) ask()
}, silentMs)

obey({ last: (address: string) => last.get(address) ?? 0, counts: () => counts })
ask()
process.stdout.write('ready\n')
