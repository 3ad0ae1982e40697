// Listens, says where, and never looks at its event loop again: nobody accepts what comes.
import { writeSync } from 'node:fs'
import { createServer } from 'node:net'

const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  writeSync(1, `${server.address().port}\n`)
  const parent = process.ppid
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  // It ends with whoever started it.
  while (process.ppid === parent) Atomics.wait(sleeper, 0, 0, 200)
  process.exit(0)
})
