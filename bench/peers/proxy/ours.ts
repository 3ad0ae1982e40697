import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end, firstLine, fromSource, root, start } from '../../programs.ts'
import { backendPorts } from './peers.ts'

const gatewayPort = 19082

const config = (maxConnections: number): string => `
api: { listen: [127.0.0.1:19083] }
gateway:
  listen: 127.0.0.1:${gatewayPort}
  admin: 127.0.0.1:19084
  limits: { connections: ${maxConnections} }
  routes:
    - match: { path: / }
      service: legacy
services:
  legacy:
    instances: [${backendPorts.map(port => `127.0.0.1:${port}`).join(', ')}]
`

/** The pid of the process below `parent` whose command line has this word. */
export function descendantWith(parent: number, word: string): number {
  for (const name of readdirSync('/proc').filter(entry => /^\d+$/.test(entry))) {
    try {
      const ppid = Number(
        readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[1],
      )
      if (ppid === parent && readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(word)) {
        return Number(name)
      }
    } catch {
      // It has ended while we looked.
    }
  }
  throw new Error(`process ${parent} has no child with "${word}" on its command line`)
}

/** Our gateway as `portolan up` starts it, pinned to CPU 0 together with its registry. */
export async function openOurs({ maxConnections = 10_000 }: { readonly maxConnections?: number } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-ours-'))
  const file = join(dir, 'portolan.yaml')
  writeFileSync(file, config(maxConnections))
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const up = start(0, process.execPath, [
    ...fromSource,
    main,
    'up',
    '--config',
    file,
    '--data',
    join(dir, 'data'),
  ])
  const close = async (): Promise<void> => {
    await end(up)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await firstLine(up, line => (line.startsWith('ready') ? true : undefined))
    const pid = descendantWith(up.pid ?? 0, 'lb')
    return {
      target: { name: 'portolan', port: gatewayPort, pids: [pid] },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
