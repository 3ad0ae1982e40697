import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Lease, type Portolan, type RegisterOptions } from '@portolan/client'
import type { Faults } from '../faults/faults.ts'
import type { Namespace } from '../faults/namespace.ts'
import { type Program, portolanMain } from '../faults/program.ts'
import { type Member, openWorld, startMember } from '../faults/world.ts'
import { freePort } from '../ports.ts'
import { Processes, until } from './processes.ts'

/** A registry, a DNS server that has joined it, and what asks it; everything ends with `close`. */
export interface DnsWorld {
  readonly faults: Faults
  readonly processes: Processes
  /** Of the registry. */
  readonly url: string
  /** Of the DNS server, which is at 127.0.0.1 (of its own network, where it has one). */
  readonly port: number
  /** Kills the DNS server. */
  stopDns(): Promise<void>
  /** Starts it again, where it was. */
  startDns(): Promise<void>
  /** Whoever registers without a process of its own. */
  register(options: RegisterOptions): Promise<Lease>
  /** Resolves when nobody goes by answers any more that named it, or after 10 s. */
  drain(service: string, id: string): Promise<void>
  remove(service: string, id: string): Promise<void>
  close(): Promise<void>
}

export interface DnsOptions {
  /** Further arguments of `portolan dns`. */
  readonly args?: readonly string[]
  /** Whether it is on port 53 of a network of its own. */
  readonly apart?: boolean
}

/** `portolan up --roles registry`, and `portolan dns` beside it. */
export async function openDns(
  options: DnsOptions = {},
): Promise<DnsWorld & { readonly network?: Namespace }> {
  const { args = [], apart = false } = options
  const world = await openWorld('', apart)
  const { faults, url } = world
  const processes = new Processes()
  let client: Portolan | undefined
  const close = async (): Promise<void> => {
    await client?.close({ graceMs: 0 })
    await processes.endAll()
    await faults.undo()
  }
  try {
    const network = apart ? faults.namespace() : undefined
    const port = apart ? 53 : await freePort()
    const joined = network === undefined ? url : url.replace('127.0.0.1', network.outside)
    let dns: Program | undefined
    const startDns = async (): Promise<void> => {
      dns = faults.start(
        portolanMain,
        ['dns', '--join', joined, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0', ...args],
        { preload: ['tethered'], ...(network === undefined ? {} : { namespace: network }) },
      )
      await dns.line(line => (line === 'joined' ? true : undefined))
    }
    await startDns()
    const send = async (method: string, service: string, path: string): Promise<void> => {
      const answer = await fetch(`${url}/api/v1/services/${service}/instances/${path}`, { method })
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    }
    const portolan = await connect(url)
    client = portolan
    return {
      faults,
      processes,
      url,
      port,
      startDns,
      stopDns: async () => dns?.end('SIGKILL'),
      ...(network === undefined ? {} : { network }),
      register: options => portolan.register(options),
      drain: (service, id) => send('POST', service, `${id}/drain?grace=10s`),
      remove: (service, id) => send('DELETE', service, id),
      close,
    }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

/** How long after a change in the registry a client knew, in milliseconds. */
export interface Seen {
  readonly registered: number
  readonly drained: number
  readonly killed: number
}

interface Place {
  readonly address: string
  readonly port: number
}

/** Three instances of `echo`: two that run as processes of their own, and one that is to come. */
export interface Trio {
  readonly a: Member
  readonly b: Member
  readonly c: Place
}

/**
 * Starts `a` and `b`. By default each of the three has an address of its own on the same port, as those need it that ask
 * for addresses alone; on a `host` they have ports of their own.
 */
export async function startTrio({ faults, url }: DnsWorld, host?: string): Promise<Trio> {
  const port = await freePort()
  const place = async (number: number): Promise<Place> =>
    host === undefined ? { address: `127.0.0.1${number}`, port } : { address: host, port: await freePort() }
  const start = async (id: string, number: number): Promise<Member> =>
    startMember(faults, id, { url, ...(await place(number)) })
  const [a, b] = await Promise.all([start('a', 1), start('b', 2)])
  return { a, b, c: await place(3) }
}

/**
 * Registers `c`, drains it, and kills `b`; `look` says whom the client knows at the moment, by what `nameOf` calls them.
 * @returns when it knew each of that; `releasedMs`: after how long `c` was told that it may stop; `at`: when each happened,
 * in milliseconds since 1970
 */
export async function measureChanges(
  world: DnsWorld,
  { a, b, c }: Trio,
  look: () => Promise<readonly string[]>,
  nameOf: (place: Place, id: string) => string = ({ address }) => address,
): Promise<Seen & { readonly releasedMs: number; readonly at: Seen }> {
  const names = { a: nameOf(a, 'a'), b: nameOf(b, 'b'), c: nameOf(c, 'c') }
  const knows = (...wanted: readonly string[]) =>
    until(`the client to know ${wanted.join(' ')} alone`, async () => {
      const found = [...new Set(await look())].sort().join(' ')
      return found === [...wanted].sort().join(' ')
    })
  const timed = async (change: () => unknown, ...wanted: readonly string[]) => {
    const [from, at] = [performance.now(), Date.now()]
    await Promise.all([change(), knows(...wanted)])
    return { took: performance.now() - from, at }
  }
  await knows(names.a, names.b)
  await serve(world.faults, 'c', c)
  const register = () => world.register({ service: 'echo', id: 'c', ...c })
  const registered = await timed(register, names.a, names.b, names.c)
  let released: Promise<number> | undefined
  const drain = (): void => {
    const from = performance.now()
    released = world.drain('echo', 'c').then(() => performance.now() - from)
  }
  const drained = await timed(drain, names.a, names.b)
  const releasedMs = (await released) ?? Number.NaN
  const killed = await timed(() => process.kill(b.program.pid, 'SIGKILL'), names.a)
  return {
    registered: registered.took,
    drained: drained.took,
    killed: killed.took,
    releasedMs,
    at: { registered: registered.at, drained: drained.at, killed: killed.at },
  }
}

/** An instance within the test. Its answers name it, as those of the others do. */
async function serve(faults: Faults, id: string, { address, port }: Place): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify({ instance: id })))
  })
  await once(server.listen(port, address), 'listening')
  faults.later(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** One line of the table of clients: what it does, three times in milliseconds, and what it does without an answer. */
export function tell(client: string, behaviour: string, seen: Seen, away: string): void {
  const ms = [seen.registered, seen.drained, seen.killed].map(time => time.toFixed(0))
  console.info(`| ${client} | ${behaviour} | ${ms.join(' | ')} | ${away} |`)
}
