import type { Cause } from './cause.ts'

export const portProtocols = ['http', 'h2', 'grpc', 'tcp', 'udp'] as const

export type PortProtocol = (typeof portProtocols)[number]

/** One port of an instance. The first of an instance's ports is its default. */
export interface Port {
  readonly name: string
  /** 1 to 65535. */
  readonly number: number
  readonly protocol: PortProtocol
  readonly tls: boolean
}

/** A service's name within its namespace. The namespace `default` stays unsaid wherever people read. */
export interface ServiceName {
  readonly namespace: string
  readonly service: string
}

/** What an instance is known by. */
export interface InstanceName extends ServiceName {
  readonly id: string
}

/**
 * What the owner of an instance says of it, and the registry stores.
 * Limits: names 1 to 128 characters of `[A-Za-z0-9._-]`, addresses 1 to 8, ports 1 to 32, tags 64, metadata 64
 * entries of 4 KiB, weight 0 or 0.001 to 1,000,000.
 */
export interface Registration extends InstanceName {
  /** IP literals (no brackets, zone ids allowed) of this one instance: v4, v6 or both; the first is preferred. */
  readonly addresses: readonly string[]
  readonly ports: readonly Port[]
  readonly host?: string
  /** Relative share of traffic; 0 takes no new traffic. Default 1. */
  readonly weight: number
  readonly zone?: string
  readonly region?: string
  /** The cloud it runs in. */
  readonly provider?: string
  readonly version?: string
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
}

/** One running copy of a service, as everybody but the registry sees it. Immutable; survives `structuredClone`. */
export interface Instance extends Registration {
  /** Through what it came: `http`, `session`, `config`, `process`, or a driver's name. */
  readonly source: string
  /** The name of the token that registered it. */
  readonly owner: string
  /** Grows with each registration of this id; messages of an older one are ignored. */
  readonly incarnation: number
  /** Why it should not be picked; empty = healthy. */
  readonly causes: readonly Cause[]
  /** Why it gets less than its share; its `weight` is lowered already. Absent = nothing. */
  readonly degraded?: readonly Degraded[]
}

/** One reason why an instance gets less traffic than its weight would have it. Causes take it out; these don't. */
export interface Degraded {
  /** A check's id. */
  readonly owner: string
  /** What the weight is multiplied by: greater than 0, less than 1. The lowest counts. */
  readonly factor: number
  readonly reason: string
  /** ISO 8601, UTC. */
  readonly since: string
}

export const defaultNamespace = 'default'

/** `order`, or `staging/order` outside the default namespace: how people and maps name a service. */
export function serviceKey(name: ServiceName): string {
  return name.namespace === defaultNamespace ? name.service : `${name.namespace}/${name.service}`
}

/** The inverse of {@link serviceKey}. */
export function parseServiceKey(key: string): ServiceName {
  const slash = key.indexOf('/')
  if (slash < 0) return { namespace: defaultNamespace, service: key }
  return { namespace: key.slice(0, slash), service: key.slice(slash + 1) }
}

/** The port for requests that name none: the first that speaks HTTP/1.1, with or without TLS, or else the first that can. */
export function httpPort(ports: readonly Port[]): Port | undefined {
  return ports.find(({ protocol }) => protocol === 'http') ?? ports.find(({ protocol }) => protocol !== 'udp')
}

/** Whether it is to be let go of: it may stop when nobody picks it, and no request is under way to it. */
export function isDraining({ causes }: Instance): boolean {
  return causes.some(({ kind }) => kind === 'draining')
}

export function isHealthy(instance: Instance): boolean {
  return instance.causes.length === 0
}
