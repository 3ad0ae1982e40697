import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end, find, pinned } from '../../programs.ts'

/** The three backend addresses behind every proxy of the comparison. */
export const backendPorts = [19001, 19002, 19003] as const

const nginxPort = 19080
const haproxyPort = 19081

const temps = (dir: string): string =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${dir};`).join(' ')

const backendConf = (dir: string): string => `
worker_processes 1; daemon off; pid ${dir}/backend.pid; error_log ${dir}/backend.err;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; ${temps(dir)}
  server { ${backendPorts.map(port => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')}
    location / { return 200 "hello from a backend\\n"; } location /16k { alias ${dir}/16k; } } }
`

const nginxConf = (dir: string): string => `
worker_processes 1; daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.err;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 1000000000; ${temps(dir)}
  upstream be { ${backendPorts.map(port => `server 127.0.0.1:${port};`).join(' ')}
    keepalive 512; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${nginxPort} backlog=4096; location / { proxy_pass http://be; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } } }
`

const haproxyConf = (maxConnections: number): string => `
global
  nbthread 1
  maxconn ${maxConnections}
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:${haproxyPort}
  default_backend b
backend b
  balance roundrobin
${backendPorts.map((port, i) => `  server s${i + 1} 127.0.0.1:${port}`).join('\n')}
`

/** Resolves when something accepts connections there. */
export async function listening(port: number, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return
    if (Date.now() > deadline) throw new Error(`nothing listens on ${port}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
}

function launch(cpu: number, program: string, args: readonly string[]): ChildProcess {
  const [command, all] = pinned(cpu, find(program), args)
  return spawn(command, all, { stdio: 'ignore' })
}

/** nginx and HAProxy on CPU 0, one worker each, and an nginx as backend on CPU 1. */
export async function openPeers({ maxConnections = 4000 }: { readonly maxConnections?: number } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  // nginx's workers give up their privileges and still have to read the 16 KiB file.
  chmodSync(dir, 0o755)
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  file('16k', 'x'.repeat(16_384))
  const backend = launch(1, 'nginx', ['-c', file('backend.conf', backendConf(dir)), '-p', dir])
  const nginx = launch(0, 'nginx', ['-c', file('nginx.conf', nginxConf(dir)), '-p', dir])
  const haproxy = launch(0, 'haproxy', ['-f', file('haproxy.cfg', haproxyConf(maxConnections))])
  const close = async (): Promise<void> => {
    await Promise.all([backend, nginx, haproxy].map(child => end(child)))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all([...backendPorts, nginxPort, haproxyPort].map(port => listening(port)))
  } catch (error) {
    await close()
    throw error
  }
  return {
    targets: [
      { name: 'nginx', port: nginxPort, pids: workersOf(nginx.pid ?? 0) },
      { name: 'haproxy', port: haproxyPort, pids: [haproxy.pid ?? 0] },
    ],
    [Symbol.asyncDispose]: close,
  }
}
