import {
  type BalanceSettings,
  Fault,
  type Instance,
  type InstanceName,
  nearest,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import type { ApiClient } from './client.ts'

export interface ServiceSummary extends ServiceName {
  readonly instances: number
  readonly healthy: number
}

export interface InstanceList extends ServiceName {
  readonly cursor: string
  readonly instances: readonly Instance[]
}

export function pathOf(name: ServiceName & Partial<InstanceName>, action?: string): string {
  const service = `services/${encodeURIComponent(name.service)}/instances`
  if (name.id === undefined) return service
  return `${service}/${encodeURIComponent(name.id)}${action === undefined ? '' : `/${action}`}`
}

/** The namespace stays unsaid where it is the default. */
export function inNamespace({ namespace }: ServiceName): { readonly namespace?: string } {
  return namespace === 'default' ? {} : { namespace }
}

export async function listServices(
  api: ApiClient,
  namespace: string | undefined,
): Promise<readonly ServiceSummary[]> {
  const { services } = await api.get<{ services: readonly ServiceSummary[] }>('services', { namespace })
  return [...services].sort((a, b) => (serviceKey(a) < serviceKey(b) ? -1 : 1))
}

export function listInstances(
  api: ApiClient,
  service: ServiceName,
  filter: Readonly<Record<string, string | undefined>> = {},
): Promise<InstanceList> {
  return api.get<InstanceList>(pathOf(service), { ...inNamespace(service), ...filter })
}

/** How gateways balance the service, as the registry tells them. */
export async function readBalancer(api: ApiClient, name: ServiceName): Promise<BalanceSettings> {
  const path = `config/services/${encodeURIComponent(name.service)}`
  const { balancer } = await api.get<{ balancer: BalanceSettings }>(path, inNamespace(name))
  return balancer
}

/** So many lists are asked for at the same time. */
const atOnce = 16

/**
 * The instance that an id alone names, as long as it names one.
 * @throws Fault `instance_not_found`, `invalid_request` when several services have one of that id
 */
export async function findInstance(api: ApiClient, namespace: string, id: string): Promise<InstanceName> {
  const services = await listServices(api, namespace)
  const lists: InstanceList[] = []
  // A few at a time: thousands of services must not be as many connections.
  for (let from = 0; from < services.length; from += atOnce) {
    const some = services.slice(from, from + atOnce)
    lists.push(...(await Promise.all(some.map(service => listInstances(api, service)))))
  }
  const ids = lists.flatMap(({ service, instances }) =>
    instances.map(instance => ({ service, id: instance.id })),
  )
  const [first, ...more] = ids.filter(found => found.id === id)
  if (first === undefined) {
    const near = nearest(
      id,
      ids.map(found => found.id),
    )
    throw new Fault('instance_not_found', `no service has an instance ${id}`, {
      source: 'caller',
      hint: near === undefined ? '`portolan instances SERVICE` lists a service’s' : `did you mean ${near}?`,
    })
  }
  if (more.length > 0) {
    throw new Fault('invalid_request', `several services have an instance ${id}`, {
      source: 'caller',
      hint: `name the service too: ${[first, ...more].map(({ service }) => `${service} ${id}`).join(', or ')}`,
    })
  }
  return { namespace, ...first }
}
