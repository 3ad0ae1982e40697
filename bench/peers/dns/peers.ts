import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressOf, answered } from '../../dns/question.ts'
import { end, find, pinned } from '../../programs.ts'
import type { DnsTarget } from './target.ts'

const dnsmasqPort = 15_301
const unboundPort = 15_302

const names = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const nameOf = (i: number): string => `s${i}.peer.test`

const unboundConf = (dir: string, count: number): string => `
server:
  interface: 127.0.0.1@${unboundPort}
  do-daemonize: no
  username: ""
  chroot: ""
  use-syslog: no
  logfile: "${dir}/unbound.log"
  pidfile: "${dir}/unbound.pid"
  num-threads: 1
  local-zone: "." refuse
  local-zone: "peer.test." static
${names(count)
  .map(i => `  local-data: "${nameOf(i)}. 1 A ${addressOf('10.0', i)}"`)
  .join('\n')}
remote-control:
  control-enable: yes
  control-interface: "${dir}/unbound.sock"
  control-use-cert: no
`

const dnsmasqArgs = (dir: string): readonly string[] => [
  ...[
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--local-ttl=1',
    '--user=root',
  ],
  ...[`--addn-hosts=${dir}/hosts`, `--pid-file=${dir}/dnsmasq.pid`],
  ...[`--port=${dnsmasqPort}`, '--listen-address=127.0.0.1', '--bind-interfaces'],
]

function launch(program: string, args: readonly string[]): ChildProcess {
  const [command, all] = pinned(0, find(program), args)
  return spawn(command, all, { stdio: 'ignore' })
}

export interface DnsPeers {
  /** dnsmasq and unbound. */
  readonly targets: readonly DnsTarget[]
  /** Gives the name of unbound's that has this number another address, as `unbound-control` does. */
  changeUnbound(number: number, address: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** dnsmasq and unbound on CPU 0, one thread each, with the same names from local data. */
export async function openPeers(count: number): Promise<DnsPeers> {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  chmodSync(dir, 0o755)
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const lines = (line: (i: number) => string): string => `${names(count).map(line).join('\n')}\n`
  const queries = file(
    'queries',
    lines(i => `${nameOf(i)} A`),
  )
  file(
    'hosts',
    lines(i => `${addressOf('10.0', i)} ${nameOf(i)}`),
  )
  const dnsmasq = launch('dnsmasq', dnsmasqArgs(dir))
  const unbound = launch('unbound', ['-c', file('unbound.conf', unboundConf(dir, count))])
  const close = async (): Promise<void> => {
    await Promise.all([dnsmasq, unbound].map(child => end(child)))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const last = { name: nameOf(count - 1), type: 'A' } as const
    await Promise.all([dnsmasqPort, unboundPort].map(port => answered(port, last)))
  } catch (error) {
    await close()
    throw error
  }
  return {
    targets: [
      { name: 'dnsmasq', port: dnsmasqPort, pids: [dnsmasq.pid ?? 0], queries },
      { name: 'unbound', port: unboundPort, pids: [unbound.pid ?? 0], queries },
    ],
    async changeUnbound(number, address) {
      await control(dir, `local_data_remove ${nameOf(number)}.`)
      await control(dir, `local_data ${nameOf(number)}. 1 A ${address}`)
    },
    [Symbol.asyncDispose]: close,
  }
}

/** What `unbound-control` says and hears, without starting it fifty times a second. */
async function control(dir: string, command: string): Promise<void> {
  const socket = connect(join(dir, 'unbound.sock'))
  await once(socket, 'connect')
  socket.setEncoding('utf8').write(`UBCT1 ${command}\n`)
  let said = ''
  for await (const chunk of socket) said += chunk
  if (said.trim() !== 'ok') throw new Error(`unbound: ${command}: ${said}`)
}
