// `npm run setup:test`: the real components that tests and benches talk to, from Debian's packages.
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, say } from './steps.mjs'

/** Program → the Debian package that brings it. */
const components = {
  etcd: 'etcd-server',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  wrk: 'wrk',
  curl: 'curl',
  openssl: 'openssl',
  ip: 'iproute2',
  nft: 'nftables',
  dig: 'bind9-dnsutils',
  dnsmasq: 'dnsmasq-base',
  unbound: 'unbound',
  dnsperf: 'dnsperf',
  prometheus: 'prometheus',
}

const packagesOf = programs => [...new Set(programs.map(program => components[program]))]

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export function missingComponents() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  return Object.keys(components).filter(
    program => !folders.some(folder => isExecutable(join(folder, program))),
  )
}

export function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
}

export async function installComponents(missing) {
  say(`installing ${packagesOf(missing).join(', ')} from Debian's packages`)
  // Debian starts what it installs; the tests start their own, on their own ports.
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, quiet: true }
    const install = ['install', '-y', '-qq', '--no-install-recommends', ...packagesOf(missing)]
    await run('apt-get', ['update', '-qq'], options)
    return (await run('apt-get', install, options)) === 0
  } finally {
    if (ours) rmSync(policy)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = missingComponents()
  if (missing.length === 0) say('all components are there')
  else if (mayInstall()) process.exit((await installComponents(missing)) ? 0 : 1)
  else {
    say(`missing; as root: apt-get install -y ${packagesOf(missing).join(' ')}`)
    process.exit(1)
  }
}
