import {
  checkWeight,
  Fault,
  type InstanceName,
  type Milliseconds,
  parseServiceKey,
  type Random,
  type RegistrationMessage,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import type { Environment } from '../environment.ts'
import type { CheckOptions } from './check.ts'

type PortMessage = RegistrationMessage['ports'][number]

/**
 * What a program says of itself. Inside a supervised program everything has a default: `PORTOLAN_SERVICE`,
 * `PORTOLAN_INSTANCE` and `PORT` name the registration that the supervisor made, and `register` joins it.
 */
export interface RegisterOptions extends Partial<Omit<RegistrationMessage, 'ports' | 'checks'>> {
  /** The one port, or `ports`; the first is the default one. */
  readonly port?: PortMessage
  readonly ports?: readonly PortMessage[]
  /** An IP literal, or `addresses`. Default: the address that the registry sees this connection come from. */
  readonly address?: string
  /**
   * Its health checks, 16 at most; `[]` = none. Default: those that the registry's configuration gives to the service,
   * else a TCP check.
   */
  readonly checks?: readonly CheckOptions[]
  /** How long the first acknowledgement may take. Default: as long as it takes, through outages too. */
  readonly timeoutMs?: Milliseconds
}

/** What is known of this process where its options say nothing. */
export interface Self {
  readonly environment: Environment
  readonly hostname: string
  readonly pid: number
  readonly random: Random
}

/** The registration as it goes over the wire, every time. */
export interface Claim {
  readonly name: InstanceName
  readonly message: RegistrationMessage
  readonly timeoutMs: Milliseconds | undefined
}

/** @throws Fault `invalid_request` when neither options nor environment name a service and a port, or the weight is none */
export function claimOf(options: RegisterOptions, self: Self): Claim {
  const { port, ports, address, timeoutMs, ...rest } = options
  const key = options.service ?? self.environment.PORTOLAN_SERVICE ?? ''
  const { service, ...named } = parseServiceKey(key)
  if (service === '') throw missing('a service', "register({ service: 'order', … })")
  // JSON has no NaN: on its way it would become null, and the registry would complain of that.
  if (rest.weight !== undefined) checkWeight(rest.weight)
  const namespace = options.namespace ?? named.namespace
  const id = options.id ?? supervisedId({ namespace, service }, self.environment) ?? ownId(self)
  const message: RegistrationMessage = {
    ...rest,
    ...(address === undefined ? {} : { addresses: [address, ...(options.addresses ?? [])] }),
    namespace,
    service,
    id,
    ports: portsOf(options, self.environment),
  }
  return { name: { namespace, service, id }, message, timeoutMs }
}

function portsOf(options: RegisterOptions, environment: Environment): readonly PortMessage[] {
  const given = [...(options.port === undefined ? [] : [options.port]), ...(options.ports ?? [])]
  if (given.length > 0) return given
  const port = Number(environment.PORT)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return [port]
  throw missing('a port', "register({ service: 'order', port: 8080 })")
}

/** The supervisor's id is that of one service; a second service of the same program gets an id of its own. */
function supervisedId(name: ServiceName, environment: Environment): string | undefined {
  return serviceKey(name) === environment.PORTOLAN_SERVICE ? environment.PORTOLAN_INSTANCE : undefined
}

/** Unique among all processes, and the same for as long as this lease lives. */
function ownId(self: Self): string {
  const host = self.hostname.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 80) || 'host'
  const salt = Math.floor(self.random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0')
  return `${host}-${self.pid}-${salt}`
}

function missing(what: string, example: string): Fault {
  return new Fault('invalid_request', `register needs ${what}`, {
    source: 'caller',
    hint: `${example}; programs under \`portolan run\` find it in their environment`,
  })
}
