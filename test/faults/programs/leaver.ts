// Makes a namespace with a program in it, and waits to be killed before it can tidy up.
import { spawn } from 'node:child_process'
import { openNamespace } from '../namespace.ts'
import { obey } from './control.ts'

obey({})
const { name, wrap } = openNamespace()
const [command, args] = wrap('sleep', ['60'])
const { pid } = spawn(command, args, { stdio: 'ignore', detached: true })
process.stdout.write(`${name} ${pid}\n`)
setInterval(() => {}, 1000)
