import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatHostPort, type HostPort, parseHostPort, toFault } from '@portolan/core'
import { hasIPv6Loopback } from '../../config/ipv6-loopback.ts'
import { defaultConfig, type LoadedConfig, loadConfig } from '../../config/load.ts'
import { tellReload } from '../../config/next-start.ts'
import { formatProblem } from '../../config/problem.ts'
import { listenAddresses } from '../../config/resolve.ts'
import { type ConfigWatch, watchConfig } from '../../config/watch.ts'
import { openLog } from '../../observe/log.ts'
import type { Role, Server } from '../../server.ts'
import { systemKey } from '../../workloads/definition.ts'
import { Patience } from '../../workloads/patience.ts'
import {
  type Command,
  flagOption,
  type Invocation,
  type Io,
  listOption,
  textOption,
  usage,
  wantsJson,
} from '../command.ts'
import { namingOwner } from '../port-owner.ts'
import { formatFault } from '../text/fault.ts'
import { tellTransitions } from '../text/transitions.ts'
import { version } from '../version.ts'
import { aborted } from './lb.ts'
import { refuseHopeless } from './up-hopeless.ts'
import { whenReady } from './up-ready.ts'

const roles: readonly Role[] = ['registry', 'gateway', 'dns']

export const up: Command = {
  name: 'up',
  summary: 'start registry, gateway, DNS and the programs of the configuration',
  details:
    'Without a file it starts with defaults. SIGHUP and changes of the file load it again. Ctrl-C drains and ends everything that it started; a second one ends it at once.',
  options: [
    { flags: '--config <file>', summary: 'the configuration (default: portolan.yaml, where there is one)' },
    { flags: '--roles <list>', summary: 'what to be', fallback: roles.join(',') },
    { flags: '--data <directory>', summary: 'what must survive restarts (default: the file’s `data`)' },
    {
      flags: '--listen <address>',
      summary: 'where the API listens, instead of what the file says',
      repeated: true,
    },
    {
      flags: '--dns-listen <address>',
      summary: 'where DNS listens, instead of what the file says; `:53` = that port on loopback',
      repeated: true,
    },
    { flags: '--insecure', summary: 'let the API listen beyond loopback without TLS and tokens' },
  ],
  examples: [
    ['portolan up', 'with portolan.yaml of this folder, or with defaults'],
    ['portolan up --config shop.yaml --data /var/lib/portolan', 'a file and a data directory of your choice'],
    [
      'portolan up --roles registry',
      'without gateway and DNS: start those with `portolan lb --join` and `portolan dns --join`',
    ],
    ['portolan up --dns-listen 10.0.0.5:53', 'DNS where resolv.conf can name it'],
  ],
  run: (invocation, io) => runUp(invocation, io),
}

async function runUp(invocation: Invocation, io: Io): Promise<number> {
  const start = performance.now()
  const wanted = rolesOf(textOption(invocation, 'roles') ?? '')
  const file = configFile(invocation, io)
  const read = async (): Promise<LoadedConfig> =>
    withOptions(file === undefined ? defaultConfig(io.cwd) : await loadConfig(file), invocation, io)
  const loaded = await read()
  tellWarnings(loaded, io)

  // Half of all that this program can load, for this command alone: the others start without it.
  const { startServer } = await import('../../server.ts')
  const server = await startServer({
    loaded,
    roles: wanted,
    version,
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
    show: line => io.out(`${line}\n`),
    warn: line => io.err(`warning: ${line}\n`),
    log: openLog(io.env.PORTOLAN_LOG ?? 'warn'),
  }).catch(thrown => {
    throw namingOwner(toFault(thrown), loaded.config.api.listen ?? [{ host: '127.0.0.1', port: 7400 }])
  })
  // After the first Ctrl-C nobody else listens for the second, and we alone know what else has to end.
  const patience = new Patience()
  const hurry = (): void => {
    if (patience.heard(performance.now()) === 'again') void server.close({ now: true })
  }
  const listenForSecond = (): void => {
    patience.heard(performance.now())
    process.on('SIGINT', hurry)
    process.on('SIGTERM', hurry)
  }
  // Not before: the first one would be taken for the second.
  if (io.signal.aborted) listenForSecond()
  else io.signal.addEventListener('abort', listenForSecond, { once: true })
  const watch = file === undefined ? undefined : watchFor(file, server, invocation, io)
  const transitions = tellTransitions(() => server.workloads.states(), io)
  try {
    const late = await whenReady(server, io.signal)
    refuseHopeless(server, 'gateway')
    refuseHopeless(server, 'dns')
    if (!io.signal.aborted) {
      tellReady(server, late, performance.now() - start, invocation, io)
      await aborted(io.signal)
    }
  } finally {
    transitions.close()
    watch?.close()
    if (io.live) io.err('\nending what was started\n')
    await server.close()
    io.signal.removeEventListener('abort', listenForSecond)
    process.off('SIGINT', hurry)
    process.off('SIGTERM', hurry)
  }
  return 0
}

function tellWarnings({ warnings }: LoadedConfig, io: Io): void {
  for (const warning of warnings) io.err(`warning: ${formatProblem(warning)}\n`)
}

function rolesOf(text: string): readonly Role[] {
  const words = text.split(',').map(word => word.trim())
  const unknown = words.filter(word => !roles.some(role => role === word))
  if (unknown.length > 0)
    throw usage(`--roles ${text}: no role is called "${unknown[0]}"`, `there are: ${roles.join(', ')}`)
  if (!words.includes('registry')) {
    throw usage('--roles without registry', 'for a gateway alone: portolan lb --join URL')
  }
  return roles.filter(role => words.includes(role))
}

function configFile(invocation: Invocation, io: Io): string | undefined {
  const given = textOption(invocation, 'config')
  if (given !== undefined) return resolve(io.cwd, given)
  const usual = join(io.cwd, 'portolan.yaml')
  return existsSync(usual) ? usual : undefined
}

/** What the command line says goes before what the file says. */
function withOptions(loaded: LoadedConfig, invocation: Invocation, io: Io): LoadedConfig {
  const data = textOption(invocation, 'data')
  const listen = listOption(invocation, 'listen').map(text => parseHostPort(text, { anyPort: true }))
  const dnsListen = listOption(invocation, 'dnsListen').flatMap(dnsAddresses)
  const { api, dns } = loaded.config
  const config = {
    ...loaded.config,
    ...(data === undefined ? {} : { data: resolve(io.cwd, data) }),
    api: {
      ...api,
      ...(listen.length === 0 ? {} : { listen }),
      insecure: api.insecure || flagOption(invocation, 'insecure'),
    },
    dns: { ...dns, ...(dnsListen.length === 0 ? {} : { listen: dnsListen }) },
  }
  return { ...loaded, config }
}

/** Of `:53`: that port on the loopback addresses. */
function dnsAddresses(text: string): readonly HostPort[] {
  const [, port] = /^:(\d{1,5})$/.exec(text) ?? []
  if (port === undefined) return [parseHostPort(text, { anyPort: true })]
  return listenAddresses(undefined, Number(port), hasIPv6Loopback())
}

function watchFor(file: string, server: Server, invocation: Invocation, io: Io): ConfigWatch {
  const refuse = (reason: unknown): void => {
    io.err(`${formatFault(toFault(reason), io.colours)}the configuration of before goes on holding\n`)
  }
  return watchConfig(file, {
    accept: loaded => {
      tellWarnings(loaded, io)
      server
        .reload(withOptions(loaded, invocation, io))
        .then(waiting => io.err(`${tellReload(waiting)}\n`))
        .catch(refuse)
    },
    refuse,
  })
}

function tellReady(
  server: Server,
  late: readonly string[],
  ms: number,
  invocation: Invocation,
  io: Io,
): void {
  const gateway = server.gateway.map(({ host, port }) => `http://${formatHostPort(host, port)}`)
  const dns = server.dns.map(({ host, port }) => formatHostPort(host, port))
  if (wantsJson(invocation)) {
    io.out(
      `${JSON.stringify({ ready: true, api: server.api, gateway, dns, data: server.data, pid: process.pid, late })}\n`,
    )
    return
  }
  const running = new Map<string, number>()
  for (const { workload } of server.workloads.states())
    running.set(workload, (running.get(workload) ?? 0) + 1)
  running.delete(systemKey('gateway'))
  running.delete(systemKey('dns'))
  const programs = [...running].map(([name, count]) => `${name} × ${count}`).join(', ')
  const rows: readonly (readonly [string, string])[] = [
    ['API', server.api.join('  ')],
    ['gateway', gateway.join('  ') || 'none here'],
    ['DNS', dns.join('  ') || 'none here'],
    ['programs', programs || 'none'],
    ['data, logs', server.data],
  ]
  io.out(`ready in ${(ms / 1000).toFixed(1)} s\n`)
  for (const [name, text] of rows) io.out(`  ${name.padEnd(11)} ${text}\n`)
  for (const line of late) io.err(`not running yet: ${line}\n`)
  const [service] = running.keys()
  if (gateway[0] !== undefined && service !== undefined) {
    io.out(`  try         curl -H 'Host: ${service}.portolan' ${gateway[0]}/\n`)
  }
}
