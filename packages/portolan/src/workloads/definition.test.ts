import { describe, expect, it } from 'vitest'
import type { RunDefinition } from '../config/resolve.ts'
import {
  checkDefinition,
  copyId,
  copyKey,
  fingerprint,
  registrationOf,
  type WorkloadDefinition,
  workloadKey,
} from './definition.ts'

const order: WorkloadDefinition = {
  name: 'order',
  service: { service: 'order' },
  command: ['node', 'order.mjs'],
}
const url = 'http://127.0.0.1:7400'

describe('a workload', () => {
  it('is what the configuration resolves to', () => {
    const configured: RunDefinition = {
      name: 'order',
      service: { namespace: 'staging', service: 'order' },
      command: ['node'],
      replicas: 1,
      env: {},
      cwd: '/',
      console: false,
      drainGraceMs: 5000,
      stopGraceMs: 10_000,
    }
    const workload: WorkloadDefinition = configured
    expect(workloadKey(workload)).toBe('staging/order')
    expect(copyKey(workload, copyId(workload, 2))).toBe('staging/order/order-2')
  })

  it('that is no service is told from a service of the same name', () => {
    const program = { name: 'dns', command: ['node'] }
    expect(workloadKey(program)).not.toBe(workloadKey({ ...program, service: { service: 'dns' } }))
  })

  it('that is no service is known by its name', () => {
    const gateway = { name: 'gateway', command: ['node'] }
    expect([workloadKey(gateway), copyId(gateway, 1), copyKey(gateway, 'gateway')]).toEqual([
      'system:gateway',
      'gateway',
      'system/gateway',
    ])
  })

  it.each<[string, Partial<WorkloadDefinition>]>([
    ['this is no name', { name: 'a/b' }],
    ['there is no command', { command: [] }],
    ['NUL', { env: { A: '\0' } }],
    ['replicas is 0.5', { replicas: 0.5 }],
    ['replicas is 1001', { replicas: 1001 }],
    ['port is 70000', { port: 70_000 }],
    ['port is seven', { env: { PORT: 'seven' } }],
    ['2 copies cannot share port 80', { port: 80, replicas: 2 }],
  ])('is refused when %s', (complaint, wrong) => {
    expect(() => checkDefinition({ ...order, ...wrong })).toThrow(complaint)
  })

  it('is adopted under another template, but not with another command, folder, environment, port or registry', () => {
    const same = fingerprint(order, url)
    expect(fingerprint({ ...order, service: { service: 'order', weight: 3 }, replicas: 5 }, url)).toBe(same)
    const others = [
      fingerprint({ ...order, command: ['node', 'order.mjs', '-v'] }, url),
      fingerprint({ ...order, cwd: '/' }, url),
      fingerprint({ ...order, env: { A: 'b' } }, url),
      fingerprint({ ...order, port: 80 }, url),
      fingerprint(order, 'http://127.0.0.1:7401'),
    ]
    expect(new Set([same, ...others]).size).toBe(6)
  })

  it('says of its instance what the template says', () => {
    const template = { service: 'order', protocol: 'grpc', tls: true, version: '2', region: 'eu' } as const
    expect(registrationOf(template, 'order-1', { address: '::1', port: 80, pid: 9 })).toEqual({
      namespace: 'default',
      service: 'order',
      id: 'order-1',
      addresses: ['::1'],
      ports: [{ name: 'grpc', number: 80, protocol: 'grpc', tls: true }],
      weight: 1,
      version: '2',
      region: 'eu',
      tags: [],
      metadata: { pid: '9' },
    })
  })
})
