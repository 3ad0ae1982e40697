import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { formatDuration, type HostPort, toFault } from '@portolan/core'
import { hasIPv6Loopback } from '../../config/ipv6-loopback.ts'
import { defaultConfig, type LoadedConfig, loadConfig } from '../../config/load.ts'
import { tellNextStart } from '../../config/next-start.ts'
import { dataFolder, listenAddresses } from '../../config/resolve.ts'
import { directoryOwner } from '../../store/lock.ts'
import { type ApiClient, withApi } from '../api/client.ts'
import { listServices } from '../api/instances.ts'
import { type Command, type Invocation, type Io, textOption, wantsJson } from '../command.ts'
import { commandOf, formatOwner, portOwner } from '../port-owner.ts'
import { paint } from '../text/colour.ts'
import { printable } from '../text/instance.ts'
import { dnsFindings } from './doctor-dns.ts'
import type { Finding } from './doctor-finding.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'look at this machine and the registry, and say what to mend',
  details: 'Ends with 0 when nothing fails (warnings or not), else with 1.',
  options: [
    {
      flags: '--config <file>',
      summary: 'the configuration to go by (default: portolan.yaml where there is one)',
    },
  ],
  examples: [
    ['portolan doctor', 'before the first start, or when something is odd'],
    ['portolan doctor --json', 'one object with all findings'],
  ],
  async run(invocation, io) {
    const findings = await examine(invocation, io)
    const failed = findings.some(({ state }) => state === 'fail')
    if (wantsJson(invocation)) io.out(`${JSON.stringify({ ok: !failed, findings })}\n`)
    else for (const finding of findings) io.out(line(finding, io.colours))
    return failed ? 1 : 0
  },
}

const colourOf = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function line({ what, state, found, mend }: Finding, colours: boolean): string {
  const advice = mend === undefined ? '' : `\n      ${mend}`
  return `${paint(colours, colourOf[state], state.padEnd(4))}  ${what}: ${printable(found)}${advice}\n`
}

async function examine(invocation: Invocation, io: Io): Promise<readonly Finding[]> {
  const [configured, loaded] = await configuration(invocation, io)
  const registry = await withApi(invocation, io, registryFindings)
  const answers = registry[0]?.state === 'ok'
  return [
    nodeVersion(process.versions.node),
    configured,
    ipv6(),
    descriptors(readText('/proc/self/limits')),
    clock(Date.now()),
    ...ports(loaded, answers),
    ...(await dnsFindings(
      listenAddresses(loaded.config.dns.listen, 7453, hasIPv6Loopback()),
      loaded.config.dns.domains[0] ?? 'portolan',
    )),
    ...data(dataFolder(loaded), answers),
    ...registry,
  ]
}

/** @param version without the leading v */
export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const fits = major > 20 || (major === 20 && minor >= 19)
  if (fits) return { what: 'Node.js', state: 'ok', found: version }
  return {
    what: 'Node.js',
    state: 'fail',
    found: version,
    mend: 'install 20.19 or newer: https://nodejs.org',
  }
}

async function configuration(invocation: Invocation, io: Io): Promise<readonly [Finding, LoadedConfig]> {
  const named = textOption(invocation, 'config')
  const file = resolve(io.cwd, named ?? 'portolan.yaml')
  const what = 'configuration'
  const checking = named === undefined ? 'portolan check' : `portolan check ${named}`
  if (named === undefined && !existsSync(file)) {
    return [{ what, state: 'ok', found: 'no portolan.yaml here: defaults hold' }, defaultConfig(io.cwd)]
  }
  try {
    const loaded = await loadConfig(file)
    const found = `${named ?? 'portolan.yaml'} holds`
    const count = loaded.warnings.length
    if (count === 0) return [{ what, state: 'ok', found }, loaded]
    const mend = `\`${checking}\` lists them`
    return [
      { what, state: 'warn', found: `${found}, with ${count} warning${count === 1 ? '' : 's'}`, mend },
      loaded,
    ]
  } catch (thrown) {
    const [found = ''] = toFault(thrown).message.split('\n')
    const mend = `\`${checking}\` says what and where`
    return [{ what, state: 'fail', found, mend }, defaultConfig(io.cwd)]
  }
}

function ipv6(): Finding {
  const what = 'IPv6 loopback'
  if (hasIPv6Loopback()) return { what, state: 'ok', found: '::1 is there' }
  return {
    what,
    state: 'warn',
    found: 'there is no ::1',
    mend: 'we listen on 127.0.0.1 alone: call that, not localhost',
  }
}

/** @param limits /proc/self/limits (proc_pid_limits(5)) */
export function descriptors(limits: string | undefined): Finding {
  const what = 'open files'
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(limits ?? '') ?? []
  if (soft === '')
    return { what, state: 'warn', found: 'the limit cannot be read', mend: '`ulimit -n` shows it' }
  if (soft === 'unlimited' || Number(soft) >= 8192) return { what, state: 'ok', found: `${soft} at once` }
  return {
    what,
    state: 'warn',
    found: `only ${soft} at once: each connection takes one`,
    mend: 'raise it before `portolan up`: ulimit -n 65536',
  }
}

function clock(now: number): Finding {
  const time = new Date(now).toISOString()
  if (now > Date.UTC(2025, 0, 1)) return { what: 'clock', state: 'ok', found: time }
  return { what: 'clock', state: 'fail', found: time, mend: 'set it: certificates and expiry times go by it' }
}

function ports({ config }: LoadedConfig, registryAnswers: boolean): readonly Finding[] {
  const v6 = hasIPv6Loopback()
  const wanted: readonly (readonly [string, readonly HostPort[]])[] = [
    ['API port', listenAddresses(config.api.listen, 7400, v6)],
    ['gateway port', listenAddresses(config.gateway.listen, 7480, v6)],
    ['gateway admin port', [config.gateway.admin]],
    ['DNS port', listenAddresses(config.dns.listen, 7453, v6)],
    ['DNS admin port', [config.dns.admin]],
  ]
  return wanted.flatMap(([what, addresses]) =>
    [...new Set(addresses.map(({ port }) => port))]
      .filter(port => port > 0)
      .map(port => {
        const owner = portOwner(port)
        const named = `${what} ${port}`
        if (owner === undefined) return { what: named, state: 'ok', found: 'free' } as const
        const found = formatOwner(owner)
        if (registryAnswers) return { what: named, state: 'ok', found } as const
        return {
          what: named,
          state: 'warn',
          found,
          mend: 'end that process, or configure another port',
        } as const
      }),
  )
}

function data(folder: string, registryAnswers: boolean): readonly Finding[] {
  const what = 'data folder'
  const holder = existing(folder)
  try {
    accessSync(holder, constants.W_OK | constants.X_OK)
  } catch {
    const mend = `let this user write ${holder}, or name another folder with \`data:\` or --data`
    return [{ what, state: 'fail', found: `${folder} cannot be written`, mend }]
  }
  if (holder !== folder) return [{ what, state: 'ok', found: `${folder} will be made at the first start` }]
  if (!statSync(folder).isDirectory()) {
    return [
      { what, state: 'fail', found: `${folder} is no folder`, mend: 'name another with `data:` or --data' },
    ]
  }
  return [openToOthers(folder), ...lock(folder, registryAnswers)]
}

function openToOthers(folder: string): Finding {
  const what = 'data folder'
  if ((statSync(folder).mode & 0o002) === 0) return { what, state: 'ok', found: folder }
  return { what, state: 'warn', found: `${folder} can be written by everybody`, mend: `chmod 700 ${folder}` }
}

function lock(folder: string, registryAnswers: boolean): readonly Finding[] {
  const what = 'data folder’s owner'
  const pid = directoryOwner(folder)
  if (pid === undefined) return [{ what, state: 'ok', found: 'nobody: the next start takes it' }]
  const found = `pid ${pid} (${commandOf('/proc', pid) ?? 'unknown'})`
  if (registryAnswers) return [{ what, state: 'ok', found }]
  return [{ what, state: 'warn', found, mend: 'end that server before you start another with this folder' }]
}

function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path))
}

async function registryFindings(api: ApiClient): Promise<readonly Finding[]> {
  const what = 'registry'
  const from = performance.now()
  try {
    const services = await listServices(api, undefined)
    const waiting = await waitingKeys(api)
    const took = formatDuration(Math.max(1, Math.round(performance.now() - from)))
    return [
      { what, state: 'ok', found: `answers at ${api.url} in ${took}, with ${services.length} services` },
      { what: 'token', state: 'ok', found: 'good for reading' },
      ...restart(waiting),
    ]
  } catch (thrown) {
    const { code, message, hint } = toFault(thrown)
    const mended = hint === undefined ? {} : { mend: hint }
    if (code === 'unauthorized' || code === 'forbidden') {
      return [
        { what, state: 'ok', found: `answers at ${api.url}` },
        { what: 'token', state: 'fail', found: message, ...mended },
      ]
    }
    // Before the first start there is none, and nothing is wrong.
    return [{ what, state: code === 'registry_unreachable' ? 'warn' : 'fail', found: message, ...mended }]
  }
}

/** Nothing from a registry that does not say, or not to us. */
async function waitingKeys(api: ApiClient): Promise<readonly string[]> {
  try {
    const { atNextStart } = await api.get<{ readonly atNextStart?: readonly string[] }>('config')
    return atNextStart ?? []
  } catch {
    return []
  }
}

/** @param waiting keys that were changed in the registry’s file and wait */
export function restart(waiting: readonly string[]): readonly Finding[] {
  if (waiting.length === 0) return []
  const mend = 'restart the registry, or take the changes back'
  return [{ what: 'the registry’s configuration', state: 'warn', found: tellNextStart(waiting), mend }]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
