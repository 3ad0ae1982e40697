import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Opened } from '../../proxy/testing/harness.ts'
import { refuseLoops } from './loops.ts'
import { parseResolvConf, systemResolvers } from './system-resolvers.ts'

const opened = new Opened()
afterEach(() => opened.close())

function file(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-resolv-'))
  opened.add(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'resolv.conf'), text)
  return join(dir, 'resolv.conf')
}

describe('resolv.conf', () => {
  it.each([
    ['nameserver 192.0.2.1\n', ['192.0.2.1']],
    ['nameserver\t192.0.2.1   # the router\r\n', ['192.0.2.1']],
    ['# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n', []],
    ['search example.com\noptions ndots:5\nnameserver 2001:DB8::0:1', ['2001:db8::1']],
    ['nameserver fe80::1%eth0', ['fe80::1%eth0']],
    ['nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2', ['192.0.2.1', '192.0.2.2']],
    ['nameserver a.example\nnameserver 300.1.1.1\nnameserver\nnameserver 192.0.2.1', ['192.0.2.1']],
    [
      'nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4',
      ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    ],
    ['nameservers 192.0.2.1\n nameserver 192.0.2.2', []],
    ['', []],
  ])('%j', (text, resolvers) => {
    expect(parseResolvConf(text)).toEqual(resolvers)
  })

  it('may be any text', () => {
    fc.assert(fc.property(fc.string(), text => parseResolvConf(`nameserver ${text}`).length <= 3))
  })
})

describe('the resolvers of the system', () => {
  const listen = [{ host: '127.0.0.1', port: 53 }]

  it('are asked at port 53, without this server itself', () => {
    const path = file('nameserver 127.0.0.1\nnameserver 192.0.2.1\n')
    expect(systemResolvers(listen, path, [])).toEqual([{ host: '192.0.2.1', port: 53 }])
    expect(systemResolvers([{ host: '127.0.0.1', port: 7453 }], path, []).length).toBe(2)
    expect(systemResolvers([{ host: '0.0.0.0', port: 53 }], path, ['192.0.2.1'])).toEqual([])
  })

  it('are none where nobody has named any', () => {
    expect(systemResolvers(listen, '/nowhere/resolv.conf')).toEqual([])
  })

  it('are a fault where they cannot be read', () => {
    expect(() => systemResolvers(listen, tmpdir())).toThrow(
      expect.objectContaining({ code: 'config_invalid', hint: expect.stringContaining('dns.forward') }),
    )
  })
})

describe('forwarding to ourselves', () => {
  const loops = (upstream: [string, number], listen: [string, number], own: string[] = []) => {
    const [there, here] = [upstream, listen].map(([host, port]) => ({ host, port }))
    if (there === undefined || here === undefined) throw new Error('no addresses')
    return () => refuseLoops([there], [here], own)
  }

  it.each<[[string, number], [string, number], string[]]>([
    [['127.0.0.1', 53], ['127.0.0.1', 53], []],
    [['127.0.0.53', 53], ['0.0.0.0', 53], []],
    [['::1', 53], ['::', 53], []],
    [['127.0.0.1', 53], ['::', 53], []],
    [['192.0.2.9', 53], ['0.0.0.0', 53], ['192.0.2.9']],
    [['fe80::1%eth0', 53], ['::', 53], ['fe80::1']],
    [['::ffff:127.0.0.1', 53], ['127.0.0.1', 53], []],
    [['0.0.0.0', 53], ['127.0.0.1', 53], []],
  ])('%j by a server at %j is refused', (upstream, listen, own) => {
    expect(loops(upstream, listen, own)).toThrow(
      expect.objectContaining({ code: 'config_invalid', hint: expect.stringContaining('forward: none') }),
    )
    expect(loops(upstream, listen, own)).toThrow(
      /^dns\.forward names .*:53, where this DNS server itself listens/,
    )
  })

  it.each<[[string, number], [string, number], string[]]>([
    [['127.0.0.1', 53], ['127.0.0.1', 7453], []],
    [['127.0.0.53', 53], ['127.0.0.1', 53], []],
    [['192.0.2.9', 53], ['0.0.0.0', 53], ['192.0.2.8']],
    [['192.0.2.9', 53], ['127.0.0.1', 53], ['192.0.2.9']],
  ])('%j by a server at %j is fine', (upstream, listen, own) => {
    expect(loops(upstream, listen, own)).not.toThrow()
  })

  it('knows the addresses of this machine', () => {
    expect(() => refuseLoops([{ host: '127.0.0.1', port: 53 }], [{ host: '::', port: 53 }])).toThrow()
  })
})
