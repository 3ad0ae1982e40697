import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end, firstLine, fromSource, root, start } from '../programs.ts'

const apiPort = 19085

/** A registry as `portolan up` runs it, over its lmdb store in a new folder, alone on one processor. */
export async function openRegistry(extra = '', cpu: 0 | 1 = 0) {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const file = join(dir, 'portolan.yaml')
  // A long lease: what the benches register sends no heartbeats.
  writeFileSync(file, `api: { listen: ["127.0.0.1:${apiPort}"] }\nregistry: { lease: 10m }\n${extra}`)
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const args = ['up', '--config', file, '--data', join(dir, 'data'), '--roles', 'registry']
  const up = start(cpu, process.execPath, [...fromSource, main, ...args], {
    env: { ...process.env, PORTOLAN_LOG: 'error' },
  })
  const close = async (): Promise<void> => {
    await end(up)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await firstLine(up, line => (line.startsWith('ready') ? true : undefined))
  } catch (error) {
    await close()
    throw error
  }
  return { url: `http://127.0.0.1:${apiPort}`, pid: up.pid ?? 0, [Symbol.asyncDispose]: close }
}
