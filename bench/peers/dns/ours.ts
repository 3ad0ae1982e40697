import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { answered } from '../../dns/question.ts'
import { end, fromSource, root, start } from '../../programs.ts'
import { openRegistry } from '../../registry/ours.ts'
import type { DnsTarget } from './target.ts'

const port = 15_303
const admin = 15_304

/** One that needs no checks: nobody is there. */
export interface Listed {
  readonly service: string
  readonly id: string
  readonly address: string
}

/** BENCH_PROFILE=FOLDER: the name server leaves a CPU profile there when it ends. */
const folder = process.env.BENCH_PROFILE
const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`]

/** Registers them all, some at a time. */
export async function list(url: string, instances: readonly Listed[]): Promise<void> {
  const rest = instances.values()
  const some = async (): Promise<void> => {
    for (const { service, id, address } of rest) {
      const response = await fetch(`${url}/api/v1/services/${service}/instances/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ address, port: 8080, checks: [] }),
      })
      if (!response.ok) throw new Error(`${id}: ${response.status} ${await response.text()}`)
      await response.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: 16 }, some))
}

/** Those that are there, and the children they have. */
const processesOf = (pid: number): number[] => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
]

/**
 * `portolan dns` alone on CPU 0, joined to a registry on CPU 1 that holds these instances. Resolves when every service
 * is answered for.
 * @param more words of its command line
 */
export async function openOurs(instances: readonly Listed[], more: readonly string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-dns-'))
  const registry = await openRegistry('', 1)
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const listen = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`]
  const words = ['dns', '--join', registry.url, ...listen, ...more]
  let close = (): Promise<void> => registry[Symbol.asyncDispose]()
  try {
    await list(registry.url, instances)
    const dns = start(0, process.execPath, [...fromSource, ...profiling, main, ...words], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PORTOLAN_LOG: 'error' },
    })
    close = async () => {
      await end(dns)
      await registry[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    }
    const services = new Set(instances.map(({ service }) => service))
    for (const service of services) await answered(port, { name: `${service}.portolan`, type: 'A' })
    const queries = join(dir, 'queries')
    writeFileSync(queries, [...services].map(service => `${service}.portolan A\n`).join(''))
    const target: DnsTarget = { name: 'portolan', port, pids: processesOf(dns.pid ?? 0), queries }
    return { target, url: registry.url, admin: `http://127.0.0.1:${admin}`, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
