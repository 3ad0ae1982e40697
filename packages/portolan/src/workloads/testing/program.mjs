// A program for the supervisor's tests. It serves its own environment as JSON on PORT, and misbehaves as its
// arguments say: ignore-term | fork | fork-and-leave | flood | mute | shout | usr2 | exit=CODE | exit-after=MS
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'

const has = name => process.argv.includes(name)
const value = name => process.argv.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1)

if (value('exit') !== undefined) {
  process.stdout.write(`last words ${process.env.PORTOLAN_INSTANCE}\n`)
  process.exit(Number(value('exit')))
}
if (has('ignore-term')) process.on('SIGTERM', () => process.stdout.write('no\n'))
if (has('usr2')) process.on('SIGUSR2', () => process.stdout.write('usr2\n'))
if (has('fork')) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  process.stdout.write(`child ${child.pid}\n`)
}
if (has('fork-and-leave')) {
  const idle = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'
  const child = spawn(process.execPath, ['-e', idle], { stdio: 'ignore' })
  process.stdout.write(`child ${child.pid}\n`, () => process.exit(3))
}
if (has('flood')) setInterval(() => process.stdout.write(`${'x'.repeat(1023)}\n`.repeat(64)), 1)
if (value('exit-after') !== undefined) setTimeout(() => process.exit(7), Number(value('exit-after')))

const answer = () => JSON.stringify({ env: process.env, pid: process.pid, cwd: process.cwd() })
if (has('mute')) setInterval(() => {}, 1000)
else
  createServer((_, response) => response.end(answer())).listen(Number(process.env.PORT), '127.0.0.1', () => {
    if (has('shout')) process.stdout.write('open\n')
  })
