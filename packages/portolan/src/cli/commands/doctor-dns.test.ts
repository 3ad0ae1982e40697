import { describe, expect, it } from 'vitest'
import { dnsFindings, pointing } from './doctor-dns.ts'

const server = { host: '127.0.0.1', port: 7453 }
const answering = async (asked: unknown) => {
  if (asked === undefined) throw new Error('ENOTFOUND')
  return 'ns.portolan'
}

describe('dnsFindings', () => {
  it('says that the server answers, and how to point this host at it', async () => {
    const [own, host] = await dnsFindings([server], 'portolan', answering)
    expect(own).toEqual({ what: 'DNS', state: 'ok', found: '127.0.0.1:7453 answers for portolan' })
    expect(host).toMatchObject({
      state: 'ok',
      mend: expect.stringContaining('server=/portolan/127.0.0.1#7453'),
    })
  })

  it('has nothing to add where the host knows', async () => {
    const findings = await dnsFindings([server], 'portolan', async () => 'ns.portolan')
    expect(findings.map(({ mend }) => mend)).toEqual([undefined, undefined])
  })

  it('does not take another server’s word for ours', async () => {
    const [, host] = await dnsFindings([server], 'portolan', async asked =>
      asked === undefined ? 'a.root-servers.net' : 'ns.portolan',
    )
    expect(host?.mend).toContain('resolvectl')
  })

  it('warns where nobody answers', async () => {
    const [own] = await dnsFindings([server], 'portolan', () => Promise.reject(new Error('ETIMEOUT')))
    expect(own).toMatchObject({ state: 'warn', mend: expect.stringContaining('portolan dns') })
  })

  it('looks for nothing on a port that nobody knows yet', async () => {
    expect(await dnsFindings([{ host: '127.0.0.1', port: 0 }], 'portolan', answering)).toEqual([])
  })
})

describe('pointing', () => {
  const own = ['127.0.0.1', '::1', 'fe80::1', '192.0.2.7']

  it('goes by the port: resolv.conf has none', () => {
    expect(pointing([server], 'portolan', own)).toContain('--dns-listen 192.0.2.7:53')
    expect(pointing([{ host: '10.0.0.5', port: 53 }], 'portolan', own)).toContain('nameserver 10.0.0.5')
  })

  it('names an address of this machine where the server listens at any', () => {
    const told = (host: string) => pointing([{ host, port: 53 }], 'portolan', [...own, 'fd00::7'])
    expect(told('0.0.0.0')).toContain('nameserver 192.0.2.7,')
    expect(told('0.0.0.0')).toContain('server=/portolan/192.0.2.7#53')
    expect(told('::')).toContain('nameserver fd00::7,')
    expect(pointing([{ host: '0.0.0.0', port: 53 }], 'portolan', [])).toContain('nameserver 127.0.0.1,')
  })

  it('sends no container to its own loopback', () => {
    const both = [server, { host: '10.0.0.5', port: 7453 }]
    expect(pointing(both, 'portolan', own)).toContain('podman run --dns 10.0.0.5)')
    expect(pointing([server], 'portolan', own)).toContain('podman run --dns 192.0.2.7)')
    const told = pointing([server], 'portolan', ['127.0.0.1'])
    expect(told).toContain('podman run --dns ADDRESS)')
    expect(told).toContain('--dns-listen ADDRESS:53')
  })
})
