import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instance, ScriptCheck } from '@portolan/core'
import type { Finding, Probe } from '../probe.ts'

export const probedInstance: Instance = {
  namespace: 'default',
  service: 'order',
  id: 'order-1',
  addresses: ['127.0.0.1', '::1'],
  ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
  weight: 1,
  tags: [],
  metadata: {},
  source: 'http',
  owner: 'o',
  incarnation: 1,
  causes: [],
}

export function scriptCheck(command: readonly [string, ...string[]]): ScriptCheck {
  return { type: 'script', id: 'db', command, intervalMs: 1000, timeoutMs: 500, rise: 2 }
}

/** A folder for scripts. */
export function openScripts() {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-scripts-'))
  let written = 0
  return {
    folder,
    /** @returns the path of a program with this text */
    write(text: string, mode = 0o755): string {
      const path = join(folder, `check-${++written}.sh`)
      writeFileSync(path, text)
      chmodSync(path, mode)
      return path
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The finding of one run, which must not come within the call. */
export function look(probe: Probe<ScriptCheck>, ...command: [string, ...string[]]): Promise<Finding> {
  return new Promise((resolve, reject) => {
    let returned = false
    probe.start({ instance: probedInstance, check: scriptCheck(command), fresh: false }, finding => {
      if (returned) resolve(finding)
      else reject(new Error('settled within the call'))
    })
    returned = true
  })
}

/** Processes that run and have `text` in their environment or command line, this one not counted. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      return ['environ', 'cmdline'].some(file => readFileSync(`/proc/${pid}/${file}`).includes(text))
    } catch {
      return false
    }
  })
}

/** Children of this process that have ended and that nobody has asked about. */
export function zombies(): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      const stat = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : ''
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return state === 'Z' && Number(parent) === process.pid
    } catch {
      return false
    }
  })
}
