import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../test/ports.ts'

/** A single etcd node with its defaults (every put is on disk before its answer), and a client for it. */
export interface EtcdPeer {
  readonly version: string
  /** One put over gRPC. Rejects unless etcd answered OK. */
  put(key: string, value: string): Promise<void>
  stop(): Promise<void>
}

/** Undefined when there is no `etcd` on PATH. `wrapper` goes before its command, `['taskset', '-c', '0']` for one. */
export async function startEtcd(wrapper: readonly string[] = []): Promise<EtcdPeer | undefined> {
  const version = await versionOf(wrapper)
  if (version === undefined) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'portolan-etcd-'))
  const clientUrl = `http://127.0.0.1:${await freePort()}`
  const peerUrl = `http://127.0.0.1:${await freePort()}`
  const server = launch([
    ...wrapper,
    'etcd',
    ...['--name', 'peer', '--data-dir', directory, '--log-level', 'error', '--logger', 'zap'],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `peer=${peerUrl}`],
  ])
  const ended = once(server, 'close')
  const end = async () => {
    server.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await ready(clientUrl, server)
    const session = connect(clientUrl)
    const put = (key: string, value: string) => call(session, '/etcdserverpb.KV/Put', putRequest(key, value))
    await put('warm', 'up')
    return {
      version,
      put,
      async stop() {
        session.destroy()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

function launch([command = '', ...args]: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] })
}

async function versionOf([command = 'etcd', ...args]: readonly string[]): Promise<string | undefined> {
  const rest = command === 'etcd' ? ['--version'] : [...args, 'etcd', '--version']
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  const ended = await once(child, 'close').catch(() => undefined)
  return ended === undefined ? undefined : /etcd Version: (\S+)/.exec(output)?.[1]
}

async function ready(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`etcd ended with ${server.exitCode}`)
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if ((await answer?.text())?.includes('"true"')) return
    await delay(50)
  }
  throw new Error('etcd was not ready after 10 s')
}

/** A unary gRPC call, by hand: the message is one length-prefixed frame, the outcome a trailer. */
function call(session: ReturnType<typeof connect>, path: string, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    let status: string | undefined
    stream.on('trailers', trailers => {
      status = String(trailers['grpc-status'])
    })
    stream.on('error', reject)
    stream.on('end', () => (status === '0' ? resolve() : reject(new Error(`etcd answered ${status}`))))
    stream.resume()
    stream.end(message)
  })
}

/** PutRequest of etcd's rpc.proto: `bytes key = 1; bytes value = 2`, in a gRPC frame. */
function putRequest(key: string, value: string): Buffer {
  const fields = [field(1, Buffer.from(key)), field(2, Buffer.from(value))].flat()
  const size = fields.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(size, 1)
  return Buffer.concat([head, ...fields])
}

function field(number: number, bytes: Buffer): Buffer[] {
  const length: number[] = []
  let rest = bytes.length
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128)
  return [Buffer.from([(number << 3) | 2, ...length, rest]), bytes]
}
