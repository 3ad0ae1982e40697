import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { end, firstLine, fromSource, start } from '../programs.ts'

export interface CrowdCount {
  /** Connections that are open now. */
  readonly open: number
  /** Connections that were closed on it so far. */
  readonly closed: number
}

export interface Crowd {
  count(): Promise<CrowdCount>
  [Symbol.asyncDispose](): Promise<void>
}

/** So many connections to `port`, from a process of their own beside the load generator. Resolves when all are there. */
export async function gather(kind: 'idle' | 'loris', port: number, count: number): Promise<Crowd> {
  const program = fileURLToPath(new URL('./program.ts', import.meta.url))
  const child = start(1, process.execPath, [...fromSource, program, kind, String(port), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const close = (): Promise<void> => end(child)
  try {
    await firstLine(child, line => (line === 'ready' ? true : undefined), 120_000)
  } catch (error) {
    await close()
    throw error
  }
  return {
    async count() {
      const answer = once(child, 'message')
      child.send('count')
      const [counted] = (await answer) as [CrowdCount]
      return counted
    },
    [Symbol.asyncDispose]: close,
  }
}
