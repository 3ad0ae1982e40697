import { statSync } from 'node:fs'
import { interpreterOf } from '../../config/interpreter.ts'

/** Why a program could not be started, and how to mend it: one line for people. */
export function startFailure(file: string, error: NodeJS.ErrnoException): string {
  const shown = file.length > 100 ? `…${file.slice(-99)}` : file
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return missing(file, shown)
    case 'EACCES':
    case 'EPERM':
      return forbidden(file, shown)
    case 'ENOEXEC':
      return `${shown} is no program: begin it with a line like #!/bin/sh`
    case 'EAGAIN':
      return `${shown} could not be started: no more processes are allowed here (EAGAIN); raise the limit (ulimit -u, TasksMax, pids.max)`
    case 'EMFILE':
    case 'ENFILE':
      return `${shown} could not be started: too many open files here (${error.code}); raise the limit (ulimit -n)`
    case 'ENOMEM':
      return `${shown} could not be started: no memory left here (ENOMEM)`
    case 'E2BIG':
      return `${shown} could not be started: its arguments are too long (E2BIG)`
    default:
      return `${shown} could not be started: ${error.message}`
  }
}

/** Of our own machine, and likely over in a moment. */
export function isShortage({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EAGAIN' || code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM'
}

function missing(file: string, shown: string): string {
  if (!exists(file)) return `${shown} is not there: check the path`
  const interpreter = interpreterOf(file)
  if (interpreter === undefined) return `${shown} needs a program or loader that is not there`
  if (interpreter.endsWith('\r'))
    return `${shown} has Windows line ends, so that its interpreter is not found: convert them (dos2unix)`
  return `${shown} wants the interpreter ${interpreter.slice(0, 80)}, which is not there: mend its first line`
}

function forbidden(file: string, shown: string): string {
  try {
    const found = statSync(file)
    if (!found.isFile())
      return `${shown} is ${found.isDirectory() ? 'a folder' : 'no file'}: name the program itself`
    if ((found.mode & 0o111) === 0) return `${shown} is not executable: chmod +x`
  } catch {
    return `${shown} may not be reached: check the rights of its folders`
  }
  return `${shown} may not be executed: check its rights, its interpreter's, and whether it lies on a noexec mount`
}

function exists(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch {
    return false
  }
}
