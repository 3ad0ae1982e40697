import { createHash } from 'node:crypto'
import {
  defaultNamespace,
  Fault,
  type InstanceName,
  type Port,
  type Registration,
  serviceKey,
} from '@portolan/core'

/** What the instances of a supervised service say of themselves, but for id, address and port. */
export interface ServiceTemplate {
  readonly service: string
  /** Default `default`. */
  readonly namespace?: string
  /** Default: the loopback address at which the program's port answers. */
  readonly addresses?: readonly string[]
  /** What its port speaks. Default `http`, without TLS. */
  readonly protocol?: Port['protocol']
  readonly tls?: boolean
  readonly host?: string
  /** Default 1. */
  readonly weight?: number
  readonly zone?: string
  readonly region?: string
  readonly provider?: string
  readonly version?: string
  readonly tags?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
}

/** A program that the supervisor keeps running. What the configuration's `run:` resolves to is one. */
export interface WorkloadDefinition {
  /** Ids are `NAME-1`, `NAME-2`…; a program that is no service has one copy, and its id is the name alone. */
  readonly name: string
  /** Absent: a program that belongs to Portolan itself (the gateway), neither registered nor given a port. */
  readonly service?: ServiceTemplate
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[]
  /** How many copies. Default 1. */
  readonly replicas?: number
  /** Default: the supervisor's own. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** More environment, asked for at every launch. It may differ each time: adoption does not compare it. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>
  /** A fixed port, for one copy only; also read from `env.PORT`. Default: a free one, kept over restarts. */
  readonly port?: number
  /** How long callers may take to let go of an instance before it is told to stop. Default 5,000. */
  readonly drainGraceMs?: number
  /** How long it may take to end after SIGTERM before SIGKILL. Default 10,000. */
  readonly stopGraceMs?: number
}

/**
 * How people and `setReplicas` name a workload: the service's key (`order`, `staging/order`), or what no service can be
 * called: somebody's own service `dns` and ours run side by side.
 */
export function workloadKey({ name, service }: WorkloadDefinition): string {
  if (service === undefined) return systemKey(name)
  return serviceKey({ namespace: service.namespace ?? defaultNamespace, service: service.service })
}

/** The key of a program that is no service: `system:gateway`. */
export function systemKey(name: string): string {
  return `system:${name}`
}

/** The id of the `ordinal`-th copy (from 1), stable over restarts. */
export function copyId(definition: WorkloadDefinition, ordinal: number): string {
  return definition.service === undefined ? definition.name : `${definition.name}-${ordinal}`
}

/** Under what a copy is kept in the ledger; unique over services and programs. */
export function copyKey(definition: WorkloadDefinition, id: string): string {
  if (definition.service === undefined) return `system/${id}`
  return copyKeyOf(instanceName(definition.service, id))
}

export function copyKeyOf({ namespace, service, id }: InstanceName): string {
  return `${namespace}/${service}/${id}`
}

export function instanceName(template: ServiceTemplate, id: string): InstanceName {
  return { namespace: template.namespace ?? defaultNamespace, service: template.service, id }
}

/** The registration of one copy that answers at `address`; its metadata name the process to signal. */
export function registrationOf(
  template: ServiceTemplate,
  id: string,
  at: { readonly address: string; readonly port: number; readonly pid: number },
): Registration {
  return {
    ...instanceName(template, id),
    addresses: template.addresses ?? [at.address],
    ports: [
      {
        name: template.protocol ?? 'http',
        number: at.port,
        protocol: template.protocol ?? 'http',
        tls: template.tls ?? false,
      },
    ],
    weight: template.weight ?? 1,
    tags: template.tags ?? [],
    metadata: { ...template.metadata, pid: String(at.pid) },
    ...(template.host !== undefined && { host: template.host }),
    ...(template.zone !== undefined && { zone: template.zone }),
    ...(template.region !== undefined && { region: template.region }),
    ...(template.provider !== undefined && { provider: template.provider }),
    ...(template.version !== undefined && { version: template.version }),
  }
}

/** The port that the definition fixes, or undefined where the supervisor chooses. */
export function fixedPort(definition: WorkloadDefinition): number | undefined {
  if (definition.port !== undefined) return definition.port
  return definition.env?.PORT === undefined ? undefined : Number(definition.env.PORT)
}

/**
 * What a process that is found running must have been started with to be adopted: command line, folder, environment,
 * fixed port and registry address. The template is not part of it: an adopted instance is registered anew.
 */
export function fingerprint(definition: WorkloadDefinition, url: string): string {
  const env = Object.entries(definition.env ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = [definition.command, definition.cwd ?? '', env, fixedPort(definition) ?? 0, url]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

const maxReplicas = 1000

/** @throws Fault `config_invalid` naming the workload and what to change */
export function checkDefinition(definition: WorkloadDefinition): void {
  const refuse = (what: string, hint: string): never => {
    throw new Fault('config_invalid', `workload "${definition.name}": ${what}`, { source: 'caller', hint })
  }
  const { command, replicas = 1 } = definition
  const port = fixedPort(definition)
  if (!/^[A-Za-z0-9._-]{1,120}$/.test(definition.name) || /^\.+$/.test(definition.name)) {
    refuse('this is no name', 'use 1 to 120 characters of A-Z a-z 0-9 . _ -')
  }
  if (command.length === 0 || command[0] === '') {
    refuse('there is no command', 'write the program and its arguments as a list: [node, server.js]')
  }
  if ([...command, ...Object.entries(definition.env ?? {}).flat()].some(text => text.includes('\0'))) {
    refuse('command and environment cannot hold a NUL character', 'remove it')
  }
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > maxReplicas) {
    refuse(`replicas is ${replicas}`, `use a whole number from 0 to ${maxReplicas}`)
  }
  if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65_535)) {
    refuse(`port is ${definition.port ?? definition.env?.PORT}`, 'use a whole number from 1 to 65535')
  }
  if (port !== undefined && replicas > 1) {
    refuse(`${replicas} copies cannot share port ${port}`, 'leave the port out: each copy gets one in PORT')
  }
  if (definition.service === undefined && replicas > 1) {
    refuse('a program without a service has one copy', 'leave replicas out')
  }
}
