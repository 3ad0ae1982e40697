import type { Cause, CauseKind, Instance } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { targetGroups } from './target-groups.ts'

const http = { name: 'http', number: 8080, protocol: 'http', tls: false } as const
const metrics = { name: 'metrics', number: 9090, protocol: 'h2', tls: true } as const

function anInstance(changes: Partial<Instance> = {}): Instance {
  return {
    namespace: 'default',
    service: 'order',
    id: 'order-1',
    addresses: ['10.0.0.5'],
    ports: [http, metrics],
    weight: 1,
    tags: [],
    metadata: {},
    source: 'http',
    owner: 'ops',
    incarnation: 1,
    causes: [],
    ...changes,
  }
}

const cause = (kind: CauseKind, owner = 'x'): Cause => ({ kind, owner, reason: '', since: '' })
const labelsOf = (changes: Partial<Instance>) => targetGroups(anInstance(changes), undefined)[0]?.labels ?? {}
const targetsOf = (changes: Partial<Instance>, port?: string) =>
  targetGroups(anInstance(changes), port).flatMap(({ targets }) => targets)

describe('targets', () => {
  it('are the default port, one by its name, or all of them', () => {
    expect(targetsOf({})).toEqual(['10.0.0.5:8080'])
    expect(targetsOf({}, 'metrics')).toEqual(['10.0.0.5:9090'])
    expect(targetsOf({}, 'admin')).toEqual([])
    expect(targetsOf({}, 'all')).toEqual(['10.0.0.5:8080', '10.0.0.5:9090'])
    const names = targetGroups(anInstance(), 'all').map(({ labels }) => labels.__meta_portolan_port_name)
    expect(names).toEqual(['http', 'metrics'])
  })

  it('have the port that everybody else takes where none is named', () => {
    const grpc = { name: 'grpc', number: 9000, protocol: 'grpc', tls: false } as const
    const udp = { name: 'statsd', number: 8125, protocol: 'udp', tls: false } as const
    expect(targetsOf({ ports: [udp, grpc, http] })).toEqual(['10.0.0.5:8080'])
    expect(targetsOf({ ports: [udp, grpc] })).toEqual(['10.0.0.5:9000'])
    expect(targetsOf({ ports: [udp] })).toEqual(['10.0.0.5:8125'])
    expect(targetsOf({ ports: [] })).toEqual([])
  })

  it('have the preferred address, brackets around IPv6', () => {
    expect(targetsOf({ addresses: ['fd00::5', '10.0.0.5'] })).toEqual(['[fd00::5]:8080'])
    expect(targetsOf({ addresses: ['fe80::1%eth0'] })).toEqual(['[fe80::1%eth0]:8080'])
  })
})

describe('labels', () => {
  it('say what the instance says, and nothing of what it does not', () => {
    expect(labelsOf({})).toEqual({
      __meta_portolan_namespace: 'default',
      __meta_portolan_service: 'order',
      __meta_portolan_id: 'order-1',
      __meta_portolan_health: 'healthy',
      __meta_portolan_weight: '1',
      __meta_portolan_port_name: 'http',
      __meta_portolan_port_protocol: 'http',
      __meta_portolan_port_tls: 'false',
    })
    const more = { zone: 'a', region: 'eu', provider: 'aws', version: '1.4', host: 'box', tags: ['x', 'y'] }
    expect(labelsOf({ ...more, weight: 0.5 })).toMatchObject({
      __meta_portolan_zone: 'a',
      __meta_portolan_region: 'eu',
      __meta_portolan_provider: 'aws',
      __meta_portolan_version: '1.4',
      __meta_portolan_host: 'box',
      __meta_portolan_tags: ',x,y,',
      __meta_portolan_weight: '0.5',
    })
  })

  it('name the kinds of causes, each once', () => {
    const causes = [cause('tcp', 'a'), cause('draining'), cause('tcp', 'b')]
    expect(labelsOf({ causes }).__meta_portolan_health).toBe('draining,tcp')
  })

  it('spell metadata keys as Prometheus takes them', () => {
    expect(labelsOf({ metadata: { 'team.name': 'orders', Ünï: 'x', __proto__x: 'y' } })).toMatchObject({
      __meta_portolan_metadata_team_name: 'orders',
      __meta_portolan_metadata__n_: 'x',
      __meta_portolan_metadata___proto__x: 'y',
    })
  })

  it('keep metadata apart that are spelled alike, whatever their order', () => {
    const metadata = { 'a.b': '3', 'a-b': '2', a_b: '1', a_b_2: '0' }
    const wanted = {
      __meta_portolan_metadata_a_b: '1',
      __meta_portolan_metadata_a_b_2: '0',
      __meta_portolan_metadata_a_b_3: '2',
      __meta_portolan_metadata_a_b_4: '3',
    }
    expect(labelsOf({ metadata })).toMatchObject(wanted)
    const reversed = Object.fromEntries(Object.entries(metadata).reverse())
    expect(labelsOf({ metadata: reversed })).toEqual(labelsOf({ metadata }))
  })

  it('are names that Prometheus takes, and lose no value, for any metadata', () => {
    const key = fc.oneof(
      fc.string({ minLength: 1, maxLength: 4 }),
      fc.constantFrom('__proto__', 'a_2', 'a', '-'),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.string()), { maxLength: 20 }), entries => {
        const metadata = Object.fromEntries(entries)
        const labels = labelsOf({ metadata })
        const ours = Object.entries(labels).filter(([name]) => name.startsWith('__meta_portolan_metadata_'))
        for (const [name] of ours) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/)
        expect(ours.map(([, value]) => value).sort()).toEqual(Object.values(metadata).sort())
      }),
    )
  })
})
