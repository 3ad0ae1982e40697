import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, type Opened } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { freePort } from '../ports.ts'

/** A server of somebody else's, which answers `<METHOD target SIZE>` with what it took a request for. */
export interface RealServer {
  readonly port: number
  /** `METHOD target` of all that it has read, for those who keep a log. */
  log(): readonly string[]
}

const path = `${process.env.PATH}:/usr/sbin`
const env = { ...process.env, PATH: path }

export function isThere(program: string): boolean {
  return spawnSync(program, ['-v'], { env, stdio: 'ignore' }).error === undefined
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.unref()
    setTimeout(() => socket.destroy(), 50)
  })
}

/** Starts a program on a configuration that names free ports; ends it with `opened`. */
async function start(
  opened: Opened,
  program: string,
  config: (dir: string, ports: readonly number[]) => string,
) {
  const dir = mkdtempSync(join(tmpdir(), `portolan-${program}-`))
  const ports = [await freePort(), await freePort()]
  const file = join(dir, `${program}.conf`)
  writeFileSync(file, config(dir, ports))
  const args = program === 'nginx' ? ['-p', dir, '-e', join(dir, 'error.log'), '-c', file] : ['-f', file]
  const child: ChildProcess = spawn(program, args, { env, stdio: 'ignore' })
  opened.add(async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined
    child.kill()
    await ended
    rmSync(dir, { recursive: true, force: true })
  })
  const port = ports[0] ?? 0
  let up = false
  const look = async () => {
    while (!up && child.exitCode === null) up = await accepts(port)
  }
  void look()
  await eventually(() => up || child.exitCode !== null)
  if (!up) throw new Error(`${program} does not start`)
  return { port, dir }
}

/** nginx that reads whole bodies before it passes requests on to itself. */
export async function nginx(opened: Opened): Promise<RealServer> {
  const { port, dir } = await start(opened, 'nginx', (folder, [front, back]) => {
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    return `
worker_processes 1; daemon off; master_process off; pid ${folder}/pid;
events { worker_connections 512; }
http {
  log_format line '$request_method $request_uri';
  ${temps.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  large_client_header_buffers 4 32k; client_max_body_size 0; keepalive_requests 1000000; ignore_invalid_headers off;
  server { listen 127.0.0.1:${front}; access_log ${folder}/access.log line;
    location / { proxy_pass http://127.0.0.1:${back}; proxy_buffer_size 64k; proxy_buffers 4 64k; proxy_busy_buffers_size 64k; } }
  server { listen 127.0.0.1:${back}; access_log off; merge_slashes off;
    location / { return 200 "<$request_method $request_uri $http_content_length>"; } }
}`
  })
  return { port, log: () => readFileSync(join(dir, 'access.log'), 'utf8').split('\n').filter(Boolean) }
}

export async function haproxy(opened: Opened): Promise<RealServer> {
  const { port } = await start(
    opened,
    'haproxy',
    (_, [front]) => `
global
  tune.bufsize 65536
defaults
  mode http
  timeout client 5s
  timeout http-request 5s
  timeout connect 5s
  timeout server 5s
  option http-buffer-request
frontend f
  bind 127.0.0.1:${front}
  http-request return status 200 content-type text/plain lf-string "<%[method] %[url] %[req.body_len]>"
`,
  )
  return { port, log: () => [] }
}

export async function node(opened: Opened): Promise<RealServer> {
  const seen: string[] = []
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    seen.push(`${request.method} ${request.url}`)
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => response.end(`<${request.method} ${request.url} ${size}>`))
  }
  const server = createServer({ maxHeaderSize: 65_536 }, answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, log: () => seen }
}
