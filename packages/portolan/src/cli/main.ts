#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { commands } from './commands.ts'
import { processIo } from './process-io.ts'
import { runCommandLine } from './program.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const { io, close } = processIo()
process.exitCode = await runCommandLine(commands, version, process.argv.slice(2), io)
close()
