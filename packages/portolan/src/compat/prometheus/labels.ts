import { type Instance, isHealthy, type Port } from '@portolan/core'

/** Names that Prometheus takes: `[A-Za-z_][A-Za-z0-9_]*`. */
export type Labels = Record<string, string>

/**
 * What Prometheus may relabel a target by, all below `__meta_portolan_`. What an instance does not say has no label,
 * which Prometheus reads as the empty text.
 */
export function labelsOf(instance: Instance, port: Port): Labels {
  const labels: Labels = {
    __meta_portolan_namespace: instance.namespace,
    __meta_portolan_service: instance.service,
    __meta_portolan_id: instance.id,
    __meta_portolan_health: healthOf(instance),
    __meta_portolan_weight: String(instance.weight),
    __meta_portolan_port_name: port.name,
    __meta_portolan_port_protocol: port.protocol,
    __meta_portolan_port_tls: String(port.tls),
  }
  const { host, zone, region, provider, version, tags } = instance
  if (host !== undefined) labels.__meta_portolan_host = host
  if (zone !== undefined) labels.__meta_portolan_zone = zone
  if (region !== undefined) labels.__meta_portolan_region = region
  if (provider !== undefined) labels.__meta_portolan_provider = provider
  if (version !== undefined) labels.__meta_portolan_version = version
  // As Prometheus' own discoveries write them: between commas each, so that a pattern need not care which is first.
  if (tags.length > 0) labels.__meta_portolan_tags = `,${tags.join(',')},`
  addMetadata(labels, instance.metadata)
  return labels
}

/** `healthy`, or the kinds of its causes, each once: `draining,tcp`. */
function healthOf(instance: Instance): string {
  if (isHealthy(instance)) return 'healthy'
  return [...new Set(instance.causes.map(({ kind }) => kind))].sort().join(',')
}

const plain = /^[A-Za-z0-9_]+$/

/**
 * Keys that are no labels are spelled with `_` for every other character. Where that makes two of them alike, those
 * that needed no change keep their name, and the others get `_2`, `_3` in the order of their keys: the same instance
 * has the same labels each time.
 */
function addMetadata(labels: Labels, metadata: Instance['metadata']): void {
  const keys = Object.keys(metadata).sort()
  const others = keys.filter(key => !plain.test(key))
  for (const key of keys) if (plain.test(key)) labels[labelOf(key)] = metadata[key] ?? ''
  for (const key of others) {
    const label = labelOf(key.replace(/[^A-Za-z0-9_]/g, '_'))
    labels[firstFree(labels, label)] = metadata[key] ?? ''
  }
}

const labelOf = (key: string): string => `__meta_portolan_metadata_${key}`

function firstFree(labels: Labels, label: string): string {
  if (!(label in labels)) return label
  for (let number = 2; ; number++) if (!(`${label}_${number}` in labels)) return `${label}_${number}`
}
