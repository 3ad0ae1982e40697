import { commands } from './commands.ts'
import { processIo } from './process-io.ts'
import { runCommandLine } from './program.ts'
import { version } from './version.ts'

const { io, close } = processIo()
process.exitCode = await runCommandLine(commands, version, process.argv.slice(2), io)
close()
