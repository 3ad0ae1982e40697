import type { Io } from './command.ts'

export interface ProcessIo {
  readonly io: Io
  /** Lets go of the signals. */
  close(): void
}

/** The world as this process has it. */
export function processIo(): ProcessIo {
  const interrupted = new AbortController()
  const onSignal = (): void => interrupted.abort()
  // Once: a second Ctrl-C ends even what does not listen.
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  endQuietlyWithoutReader()
  const { env } = process
  const wanted = env.NO_COLOR === undefined || env.NO_COLOR === ''
  return {
    io: {
      out: text => void process.stdout.write(text),
      err: text => void process.stderr.write(text),
      live: process.stderr.isTTY === true,
      colours: process.stdout.isTTY === true && wanted && env.TERM !== 'dumb',
      env,
      cwd: process.cwd(),
      signal: interrupted.signal,
    },
    close: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}

/** `portolan watch order | head -1`: the reader has gone, and so do we. */
function endQuietlyWithoutReader(): void {
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
    throw error
  })
}
