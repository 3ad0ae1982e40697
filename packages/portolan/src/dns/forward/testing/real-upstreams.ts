import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostPort } from '@portolan/core'
import { freePort } from '../../../../../../test/ports.ts'
import { eventually, type Opened } from '../../../proxy/testing/harness.ts'
import { writeQuestion } from '../message/question-writing.ts'
import { askByTcp } from '../upstream/tcp.ts'
import { queryFor } from './queries.ts'

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

export type RealResolver = 'unbound' | 'dnsmasq'

export function isThere(program: RealResolver): boolean {
  const ask = program === 'unbound' ? '-V' : '-v'
  return spawnSync(program, [ask], { env, stdio: 'ignore' }).error === undefined
}

export interface Running {
  readonly address: HostPort
  /** SIGSTOP and SIGCONT: it neither answers nor refuses. */
  pause(): void
  resume(): void
  kill(): Promise<void>
}

/** TXT records that only TCP can carry: 3,000 bytes. */
export const largeTexts = Array.from({ length: 15 }, (_, index) => `${index} `.padEnd(200, 'x'))

/**
 * Starts a resolver of Debian's that knows `www.example.test0` (192.0.2.1, AAAA, MX), `alias.example.test0` (a CNAME),
 * `large.example.test0` (TXT) and nothing else below `test0`, on a port of its own; it ends with `opened`.
 */
export async function realResolver(opened: Opened, program: RealResolver, port?: number): Promise<Running> {
  const dir = mkdtempSync(join(tmpdir(), `portolan-${program}-`))
  const address = { host: '127.0.0.1', port: port ?? (await freePort()) }
  const file = join(dir, 'conf')
  writeFileSync(file, program === 'unbound' ? unboundConf(address.port, dir) : dnsmasqConf(address.port))
  const args =
    program === 'unbound'
      ? ['-d', '-c', file]
      : ['--keep-in-foreground', '--no-daemon', `--conf-file=${file}`]
  const child = spawn(program, args, { env, stdio: 'ignore' })
  const kill = async (): Promise<void> => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await ended
  }
  opened.add(async () => {
    await kill()
    rmSync(dir, { recursive: true, force: true })
  })
  let answers = false
  await eventually(
    () => {
      askByTcp(address, probe(), bytes => {
        answers ||= bytes !== undefined
      })
      return answers || child.exitCode !== null
    },
    () => `${program} does not answer`,
  )
  if (!answers) throw new Error(`${program} does not start`)
  return {
    address,
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

function probe(): Buffer {
  const { question, type } = queryFor('www.example.test0')
  return writeQuestion({ type, bytes: question, dnssecOk: false, checkingDisabled: false }, true, () => 0.5)
    .message
}

function unboundConf(port: number, dir: string): string {
  return `
server:
  interface: 127.0.0.1
  port: ${port}
  do-daemonize: no
  use-syslog: no
  logfile: "${dir}/log"
  verbosity: 0
  chroot: ""
  username: ""
  directory: "${dir}"
  pidfile: "${dir}/pid"
  module-config: "iterator"
  num-threads: 1
  local-zone: "test0." static
  local-data: "test0. 60 SOA ns.test0. root.test0. 1 2 3 4 20"
  local-data: "www.example.test0. 60 A 192.0.2.1"
  local-data: "www.example.test0. 60 AAAA 2001:db8::1"
  local-data: "www.example.test0. 60 MX 10 mail.example.test0."
  local-data: "alias.example.test0. 60 CNAME www.example.test0."
${largeTexts.map(text => `  local-data: 'large.example.test0. 60 TXT "${text}"'`).join('\n')}
remote-control:
  control-enable: no
`
}

function dnsmasqConf(port: number): string {
  return `
port=${port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
user=
local-ttl=60
local=/test0/
host-record=www.example.test0,192.0.2.1,2001:db8::1
mx-host=www.example.test0,mail.example.test0,10
cname=alias.example.test0,www.example.test0
${largeTexts.map(text => `txt-record=large.example.test0,"${text}"`).join('\n')}
`
}
