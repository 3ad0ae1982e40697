import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { end, firstLine, fromSource, root, start } from '../../programs.ts'
import { backendPorts } from './peers.ts'

const firstPort = 19082

/** What is configured beside the bare minimum, and where it listens. */
export interface OursOptions {
  /** The first of three ports in a row: gateway, registry, the gateway's admin. */
  readonly port?: number
  readonly maxConnections?: number
  readonly gateway?: object
  readonly route?: object
  readonly service?: object
}

/** JSON is YAML. */
const config = ({
  port = firstPort,
  maxConnections = 10_000,
  gateway,
  route,
  service,
}: OursOptions): string =>
  JSON.stringify({
    api: { listen: [`127.0.0.1:${port + 1}`] },
    gateway: {
      listen: `127.0.0.1:${port}`,
      admin: `127.0.0.1:${port + 2}`,
      limits: { connections: maxConnections },
      routes: [{ match: { path: '/' }, service: 'legacy', ...route }],
      ...gateway,
    },
    services: { legacy: { instances: backendPorts.map(backend => `127.0.0.1:${backend}`), ...service } },
  })

/** BENCH_PROFILE=FOLDER: registry and gateway leave a CPU profile there when they end. `up` hands this on to the gateway. */
const folder = process.env.BENCH_PROFILE
const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`]

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
export async function openOurs(options: OursOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-ours-'))
  const file = join(dir, 'portolan.yaml')
  writeFileSync(file, config(options))
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const up = start(0, process.execPath, [
    ...fromSource,
    ...profiling,
    main,
    'up',
    '--roles',
    'registry,gateway',
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
      target: { name: 'portolan', port: options.port ?? firstPort, pids: [pid] },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
