import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { Tail } from './script-output.ts'
import { descendantsOf, endGroup, endProcess } from './script-strays.ts'

/** What became of a program: it ended, or it could not be started. */
export type RunOutcome =
  | {
      readonly kind: 'ended'
      readonly code: number | null
      readonly signal: NodeJS.Signals | null
      readonly output: string
      /** Somebody outside of its process group still held its output open. */
      readonly held: boolean
    }
  | { readonly kind: 'unstarted'; readonly error: NodeJS.ErrnoException }

export interface RunStart {
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

export interface RunEvents {
  /** The program has ended and its output is read, or it never began. Not after {@link Run.kill}. */
  over(outcome: RunOutcome): void
  /** A program that was started is no process any more; before `over`, and after {@link Run.kill} too. */
  gone(): void
}

/** One program under way. */
export interface Run {
  /** Ends it with everything that it has started, without grace. Its output is not read any more. */
  kill(): void
  /** The end of what it has printed so far. */
  readonly output: string
}

/** How long output may stay open after the program has ended, and its group with it. */
const lastWordsMs = 50
/** Programs that print without end are read at this pace, so that reading them leaves our event loop free. */
const readAtOnce = 262_144
const readPauseMs = 20

/**
 * Starts a program without a shell, as the leader of a session and process group of its own, without input.
 * What of its group is left when it ends is ended too: a check leaves nothing behind.
 */
export function startRun(start: RunStart, events: RunEvents): Run {
  const [file, ...args] = start.command
  let child: ChildProcess
  try {
    child = spawn(file, args, {
      cwd: start.cwd,
      env: { ...start.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  } catch (thrown) {
    return failed(thrown as NodeJS.ErrnoException, events)
  }
  const { pid } = child
  const tail = new Tail()
  const streams = [child.stdout, child.stderr].filter(stream => stream !== null && stream !== undefined)
  const stopReading = streams.map(stream => readSlowly(stream, chunk => tail.add(chunk)))
  let killed = false
  let waiting: NodeJS.Timeout | undefined

  const letGo = (): void => {
    clearTimeout(waiting)
    for (const stop of stopReading) stop()
  }
  child.once('error', error => {
    // It may also say that a signal could not be sent; then there is a pid.
    if (pid !== undefined) return
    letGo()
    if (!killed) events.over({ kind: 'unstarted', error })
  })
  child.once('exit', (code, signal) => {
    if (pid !== undefined) endGroup(pid)
    events.gone()
    if (killed) return
    let closed = 0
    const finish = (held: boolean): void => {
      letGo()
      if (!killed) events.over({ kind: 'ended', code, signal, output: tail.text, held })
      killed = true
    }
    const open = streams.filter(stream => !stream.closed)
    for (const stream of open) stream.once('close', () => ++closed === open.length && finish(false))
    if (open.length === 0) finish(false)
    else waiting = setTimeout(() => finish(true), lastWordsMs)
  })

  return {
    get output() {
      return tail.text
    },
    kill() {
      if (killed) return
      killed = true
      letGo()
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      const descendants = descendantsOf(pid)
      endGroup(pid)
      for (const descendant of descendants) endProcess(descendant)
    },
  }
}

function failed(error: NodeJS.ErrnoException, events: RunEvents): Run {
  let killed = false
  queueMicrotask(() => {
    if (!killed) events.over({ kind: 'unstarted', error })
  })
  return {
    output: '',
    kill() {
      killed = true
    },
  }
}

/** @returns what ends the reading and lets the descriptor go */
function readSlowly(stream: Readable, take: (chunk: Buffer) => void): () => void {
  let read = 0
  let rest: NodeJS.Timeout | undefined
  stream.on('data', (chunk: Buffer) => {
    take(chunk)
    read += chunk.length
    if (read < readAtOnce) return
    read = 0
    stream.pause()
    rest = setTimeout(() => stream.resume(), readPauseMs)
  })
  stream.on('error', () => {})
  return () => {
    clearTimeout(rest)
    stream.destroy()
  }
}
