import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Fault, formatHostPort, type HostPort } from '@portolan/core'

/** Who listens on a port of this machine. */
export interface PortOwner {
  /** `undefined`: a process that this user may not look into, or one in another container. */
  readonly pid: number | undefined
  /** Its command line, shortened. */
  readonly command: string | undefined
}

/** One line of /proc/net/tcp: a socket that listens. */
export interface ListeningSocket {
  readonly port: number
  readonly inode: string
}

const listening = '0A'

/** Reads /proc/net/tcp or tcp6 (proc_net(5)): the sockets in state LISTEN. */
export function parseSockets(table: string): readonly ListeningSocket[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const fields = line.trim().split(/\s+/)
      const [, local = '', , state] = fields
      const inode = fields[9]
      if (state !== listening || inode === undefined) return []
      return [{ port: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16), inode }]
    })
}

/**
 * Who listens on TCP `port`, at whatever address, by /proc alone. `undefined`: nobody does, or this is no Linux.
 * It reads the descriptors of every process: for error messages, not for busy paths.
 */
export function portOwner(port: number, proc = '/proc'): PortOwner | undefined {
  const sockets = ['net/tcp', 'net/tcp6'].flatMap(name => parseSockets(read(`${proc}/${name}`) ?? ''))
  const inodes = new Set(
    sockets.filter(socket => socket.port === port).map(({ inode }) => `socket:[${inode}]`),
  )
  if (inodes.size === 0) return undefined
  const pid = processIds(proc).find(id => descriptors(proc, id).some(target => inodes.has(target)))
  return { pid, command: pid === undefined ? undefined : commandOf(proc, pid) }
}

/** `held by pid 4711 (nginx -g daemon off;)`. */
export function formatOwner({ pid, command }: PortOwner): string {
  if (pid === undefined) return 'held by a process of another user'
  return `held by pid ${pid}${command === undefined ? '' : ` (${command})`}`
}

function processIds(proc: string): readonly number[] {
  try {
    return readdirSync(proc)
      .filter(name => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

function descriptors(proc: string, pid: number): readonly string[] {
  try {
    const folder = `${proc}/${pid}/fd`
    return readdirSync(folder).map(name => {
      try {
        return readlinkSync(`${folder}/${name}`)
      } catch {
        return ''
      }
    })
  } catch {
    // Another user's process, or one that has just ended.
    return []
  }
}

export function commandOf(proc: string, pid: number): string | undefined {
  const words = read(`${proc}/${pid}/cmdline`)
    ?.split('\0')
    .filter(word => word !== '')
    .join(' ')
  if (words === undefined || words === '') return read(`${proc}/${pid}/comm`)?.trim()
  return words.length > 120 ? `${words.slice(0, 120)}…` : words
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The fault, and who holds the port where that is the matter: the first of `addresses` that somebody listens on. */
export function namingOwner(fault: Fault, addresses: readonly HostPort[]): Fault {
  if (fault.code !== 'address_in_use') return fault
  for (const { host, port } of addresses) {
    const owner = port === 0 ? undefined : portOwner(port)
    if (owner?.pid === undefined || owner.pid === process.pid) continue
    const message = `${formatHostPort(host, port)} is taken by process ${owner.pid} (${owner.command ?? 'unknown'})`
    const hint = fault.hint ?? 'end that process, or choose another address'
    return new Fault('address_in_use', message, { source: 'caller', cause: fault, hint })
  }
  return fault
}
