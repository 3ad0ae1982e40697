import { spawnSync } from 'node:child_process'
import { isAlive, ownerName } from './alive.ts'
import { monotonicMs } from './monotonic.ts'

/** A network of its own, joined to the machine's by one cable. */
export interface Namespace {
  readonly name: string
  /** Of the machine, as seen from inside. */
  readonly outside: string
  /** Of the namespace, as seen from the machine. */
  readonly inside: string
  /** The command that runs `command` inside. */
  wrap(command: string, args: readonly string[]): [string, string[]]
  /** Loses so many of 100 packets, each way on its own; 100 = all, 0 = none. Returns when that began. */
  lose(percent: number): number
  /** Since {@link lose}: packets lost on their way in and out, and connections that were asked for from outside. */
  counted(): { readonly in: number; readonly out: number; readonly asked: number }
  close(): void
}

const prefix = 'portolan-fault-'

/** Why namespaces can't be made here; undefined where they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const program of ['ip', 'nft']) {
    if (spawnSync(program, ['-V'], { env: pathWithSbin() }).error !== undefined)
      return `${program} is missing: npm run setup:test installs it`
  }
  const name = `${prefix}${ownerName()}-try`
  const made = spawnSync('ip', ['netns', 'add', name], { env: pathWithSbin(), encoding: 'utf8' })
  if (made.status !== 0) return `no network namespace can be made here: ${made.stderr.trim()}`
  ip('netns', 'del', name)
  return undefined
}

let made = 0

/**
 * Makes a namespace whose addresses come from 198.18.0.0/16 (RFC 2544: for benchmarks).
 * @param crowd a network, such as `198.19.0.0/17`, every address of which is the namespace's too
 */
export function openNamespace(crowd?: string): Namespace {
  const number = made++
  const name = `${prefix}${ownerName()}-${number}`
  const device = deviceOf(name)
  const subnet = freeSubnet()
  const outside = `${subnet}.1`
  const inside = `${subnet}.2`
  const within = (...args: string[]): string => ip('netns', 'exec', name, ...args)
  ip('netns', 'add', name)
  try {
    ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', name)
    ip('addr', 'add', `${outside}/30`, 'dev', device)
    ip('link', 'set', device, 'up')
    within('ip', 'link', 'set', 'lo', 'up')
    within('ip', 'addr', 'add', `${inside}/30`, 'dev', 'uplink')
    within('ip', 'link', 'set', 'uplink', 'up')
    within('ip', 'route', 'add', 'default', 'via', outside)
    if (crowd !== undefined) {
      // Whoever answers for a crowd may be kept waiting by a busy machine; its queue must not be full by then.
      run('ip', ['netns', 'exec', name, 'tee', '/proc/sys/net/core/somaxconn'], '65535')
      run('ip', ['netns', 'exec', name, 'tee', '/proc/sys/net/ipv4/tcp_max_syn_backlog'], '65535')
      within('ip', 'route', 'add', 'local', crowd, 'dev', 'lo')
      ip('route', 'add', crowd, 'via', inside)
    }
  } catch (thrown) {
    remove(name)
    throw thrown
  }
  return {
    name,
    outside,
    inside,
    wrap: (command, args) => ['ip', ['netns', 'exec', name, command, ...args]],
    lose(percent) {
      const at = monotonicMs()
      run('ip', ['netns', 'exec', name, 'nft', '-f', '-'], lossRules(percent))
      return at
    },
    counted() {
      const listed = within('nft', 'list', 'counters')
      const of = (counter: string): number =>
        Number(new RegExp(`counter ${counter} \\{\\s+packets (\\d+)`).exec(listed)?.[1] ?? 0)
      return { in: of('lost_in'), out: of('lost_out'), asked: of('asked') }
    },
    close: () => remove(name),
  }
}

/** Removes what processes have left that are gone. */
export function sweepNamespaces(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { env: pathWithSbin(), encoding: 'utf8' })
  for (const [name] of (stdout ?? '').matchAll(/^portolan-fault-\S+/gm)) {
    if (!isAlive(name.slice(prefix.length))) remove(name)
  }
}

function lossRules(percent: number): string {
  const lose = percent >= 100 ? '' : `numgen random mod 100 < ${percent}`
  const rule = (way: string): string => (percent > 0 ? `${lose} counter name lost_${way} drop` : '')
  return `add table inet faults
delete table inet faults
table inet faults {
  counter lost_in { }
  counter lost_out { }
  counter asked { }
  chain in { type filter hook prerouting priority raw; policy accept; iifname "lo" accept
    tcp flags & (syn | ack) == syn counter name asked
    ${rule('in')}
  }
  chain out { type filter hook postrouting priority raw; policy accept; oifname "lo" accept
    ${rule('out')}
  }
}
`
}

/** The namespace, the cable, and whoever still runs inside: without them the namespace would live on, nameless. */
function remove(name: string): void {
  const env = pathWithSbin()
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { env, encoding: 'utf8' })
  for (const pid of (stdout ?? '').split('\n').filter(line => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  spawnSync('ip', ['link', 'del', deviceOf(name)], { env })
  spawnSync('ip', ['netns', 'del', name], { env })
}

/** Names of devices have 15 characters at most. */
function deviceOf(name: string): string {
  const [pid = '', , number = ''] = name.slice(prefix.length).split('-')
  return `pf${Number(pid).toString(36)}-${number}`
}

function freeSubnet(): string {
  const taken = ip('-4', '-o', 'addr')
  const from = Math.floor(Math.random() * 256)
  for (let i = 0; i < 256; i++) {
    const subnet = `198.18.${(from + i) % 256}`
    if (!taken.includes(`${subnet}.`)) return subnet
  }
  throw new Error('no network of 198.18.0.0/16 is free')
}

function ip(...args: string[]): string {
  return run('ip', args)
}

function run(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: pathWithSbin(),
    encoding: 'utf8',
    input,
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}

function pathWithSbin(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
}
