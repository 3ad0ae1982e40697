// Runs a program in our place: signals reach it, its exit code is ours, and it does not outlive who started us.
import { spawn } from 'node:child_process'

/** Who started us, as we started. */
const parent = process.ppid
const lookEveryMs = 250

export function foreground(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: 'inherit' })
  let told = false
  const tell = signal => {
    if (signal !== 'SIGHUP') told = true
    child.kill(signal)
  }
  // A terminal sends Ctrl-C to the whole group, the child included; a supervisor signals only us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) tell(signal)
    })
  }
  // npm passes on SIGINT and SIGTERM, but dies of others alone, and nobody would know what is left behind.
  const orphaned = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(orphaned)
    if (!told) tell('SIGTERM')
  }, lookEveryMs)
  if (process.env.npm_lifecycle_event === undefined) clearInterval(orphaned)
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)))
}
