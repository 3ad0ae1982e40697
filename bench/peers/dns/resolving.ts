import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../test/ports.ts'
import { end, find, start } from '../../programs.ts'
import { listening } from '../proxy/peers.ts'

export interface Resolving {
  readonly nginx: string
  readonly haproxy: string
  /** What nginx has complained of. */
  complaints(): string
  [Symbol.asyncDispose](): Promise<void>
}

/** HAProxy does not look at TTLs: it asks each half a second here, as often as half of ours. */
const haproxyConf = (port: number, dns: number, slots: number): string => `
global
  nbthread 1
  maxconn 4000
resolvers portolan
  nameserver portolan 127.0.0.1:${dns}
  accepted_payload_size 8192
  timeout resolve 500ms
  timeout retry 200ms
  hold valid 500ms
  hold obsolete 0s
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  option redispatch
frontend f
  bind 127.0.0.1:${port}
  default_backend order
backend order
  balance roundrobin
  server-template order ${slots} _order._tcp.portolan resolvers portolan init-addr none
`

/** An address a name is all that nginx makes of DNS: its instances have one port. It obeys TTLs, in whole seconds. */
const nginxConf = (dir: string, port: number, dns: number, instances: number): string => `
worker_processes 1; daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.err;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 1000000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${dir};`).join(' ')}
  resolver 127.0.0.1:${dns};
  server { listen 127.0.0.1:${port}; location / { set $order order.portolan; proxy_pass http://$order:${instances}; } } }
`

/** HAProxy and nginx, which learn of the instances of `order` by DNS alone. */
export async function openResolving(dns: number, instances: number, slots: number): Promise<Resolving> {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const ports = { nginx: await freePort(), haproxy: await freePort() }
  const quiet = { stdio: 'ignore' } as const
  const nginxFile = file('nginx.conf', nginxConf(dir, ports.nginx, dns, instances))
  const nginx = start(0, find('nginx'), ['-c', nginxFile, '-p', dir], quiet)
  const haproxyFile = file('haproxy.cfg', haproxyConf(ports.haproxy, dns, slots))
  const haproxy = start(0, find('haproxy'), ['-f', haproxyFile], quiet)
  const close = async (): Promise<void> => {
    await Promise.all([nginx, haproxy].map(child => end(child)))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(Object.values(ports).map(port => listening(port)))
  } catch (error) {
    await close()
    throw error
  }
  return {
    nginx: `http://127.0.0.1:${ports.nginx}`,
    haproxy: `http://127.0.0.1:${ports.haproxy}`,
    complaints: () => readFileSync(join(dir, 'nginx.err'), 'utf8'),
    [Symbol.asyncDispose]: close,
  }
}
