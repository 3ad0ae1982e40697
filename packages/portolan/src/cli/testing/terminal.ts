import type { ExitCode, Io } from '../command.ts'
import { commands } from '../commands.ts'
import { runCommandLine } from '../program.ts'

/** A terminal that nobody sits at: what commands say, kept. */
export interface Terminal {
  readonly io: Io
  readonly out: () => string
  readonly err: () => string
  /** Ctrl-C. */
  interrupt(): void
}

export function openTerminal(given: Partial<Pick<Io, 'env' | 'cwd' | 'live' | 'colours'>> = {}): Terminal {
  let [out, err] = ['', '']
  const interrupted = new AbortController()
  return {
    io: {
      out: text => {
        out += text
      },
      err: text => {
        err += text
      },
      live: false,
      colours: false,
      env: {},
      cwd: '/',
      ...given,
      signal: interrupted.signal,
    },
    out: () => out,
    err: () => err,
    interrupt: () => interrupted.abort(),
  }
}

export interface Ended {
  readonly exit: ExitCode
  readonly out: string
  readonly err: string
}

/** Runs one command line to its end. */
export async function portolan(
  line: readonly string[],
  given: Parameters<typeof openTerminal>[0] = {},
): Promise<Ended> {
  const terminal = openTerminal(given)
  const exit = await runCommandLine(commands, '1.2.3', line, terminal.io)
  return { exit, out: terminal.out(), err: terminal.err() }
}
