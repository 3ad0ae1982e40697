import {
  checkPriority,
  checkWeight,
  defaultNamespace,
  defaultWeight,
  type Port,
  type PortProtocol,
  portProtocols,
  type Registration,
  suggestion,
} from '@portolan/core'
import {
  checkAddress,
  checkArray,
  checkHost,
  checkName,
  checkPortNumber,
  checkText,
  invalid,
  limits,
  shown,
} from './limits.ts'

/** What a registration need not say, because the place where it arrived knows it. */
export interface RegistrationDefaults {
  /** The peer's address, for registrations that name none. */
  readonly address?: string
  /** From the URL, like `service` and `id`; a body that says otherwise is refused. */
  readonly namespace?: string
  readonly service?: string
  readonly id?: string
}

/** What may stand in one. */
export const registrationFields: ReadonlySet<string> = new Set([
  'namespace',
  'service',
  'id',
  'address',
  'addresses',
  'port',
  'ports',
  'host',
  'weight',
  'zone',
  'region',
  'provider',
  'version',
  'tags',
  'metadata',
  // Read by `parseChecks`.
  'checks',
])
const portFields: ReadonlySet<string> = new Set(['name', 'number', 'protocol', 'tls'])

/**
 * Reads a registration as HTTP, the session and the config file write it: `RegistrationMessage`, with the
 * shorthands `port: 8080`, `ports: [8080]` and `address: "10.0.0.5"`. Strict: what it does not know, it refuses.
 * Written by hand, since every registration of every session passes here (`registration.bench.ts` compares).
 * @throws Fault `invalid_request` that names the field
 */
export function parseRegistration(input: unknown, defaults: RegistrationDefaults = {}): Registration {
  const body = checkRecord(input, 'the registration')
  for (const key in body) if (!registrationFields.has(key)) throw unknownField(key, '', registrationFields)
  const registration: { -readonly [Key in keyof Registration]: Registration[Key] } = {
    namespace: agreed(body.namespace, defaults.namespace, 'namespace', defaultNamespace),
    service: agreed(body.service, defaults.service, 'service'),
    id: agreed(body.id, defaults.id, 'id'),
    addresses: readAddresses(body, defaults.address),
    ports: readPorts(body),
    weight: body.weight === undefined ? defaultWeight : checkWeight(body.weight),
    tags: body.tags === undefined ? none : readTags(body.tags),
    metadata: body.metadata === undefined ? nothing : readMetadata(body.metadata),
  }
  // Assigned one by one: to spread a small object for each would cost as much as all the rest.
  if (body.host !== undefined) registration.host = checkHost(body.host, 'host')
  if (body.zone !== undefined) registration.zone = checkText(body.zone, 'zone', limits.label)
  if (body.region !== undefined) registration.region = checkText(body.region, 'region', limits.label)
  if (body.provider !== undefined) registration.provider = checkText(body.provider, 'provider', limits.label)
  if (body.version !== undefined) registration.version = checkText(body.version, 'version', limits.label)
  return registration
}

const none: readonly string[] = Object.freeze([])
const nothing: Readonly<Record<string, string>> = Object.freeze({})

type Fields = Readonly<Record<string, unknown>>

function checkRecord(value: unknown, field: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw invalid(field, `is ${shown(value)} and must be an object`)
}

function unknownField(key: string, path: string, known: ReadonlySet<string>) {
  return invalid(`${path}${key.slice(0, 80)}`, 'is not a field of a registration', suggestion(key, known))
}

/**
 * What the body says, what the place says, and the same where both do: the place is what the caller's rights were
 * checked for.
 */
function agreed(said: unknown, known: string | undefined, field: string, fallback?: string): string {
  const value = checkName(said ?? known ?? fallback, field)
  if (known === undefined || value === known) return value
  throw invalid(field, `is ${shown(said)} in the body and ${shown(known)} in the URL`)
}

function readAddresses(body: Fields, fallback: string | undefined): readonly string[] {
  if (body.addresses === undefined) {
    const address = body.address ?? fallback
    if (address === undefined)
      throw invalid('address', 'is missing', 'give the IP address that callers connect to')
    return [checkAddress(address, 'address')]
  }
  if (body.address !== undefined) throw invalid('address', 'and addresses are both given', 'give one of them')
  const list = checkArray(body.addresses, 'addresses', limits.addresses)
  if (list.length === 0)
    throw invalid('addresses', 'is empty', 'leave it out to register the address you call from')
  return list.map((value, index) => checkAddress(value, `addresses[${index}]`))
}

function readPorts(body: Fields): readonly Port[] {
  if (body.port !== undefined) {
    if (body.ports !== undefined) throw invalid('port', 'and ports are both given', 'give one of them')
    return [readPort(body.port, 'port')]
  }
  if (body.ports === undefined) throw invalid('ports', 'is missing', 'give port: 8080, or ports: [8080, …]')
  const list = checkArray(body.ports, 'ports', limits.ports)
  if (list.length === 0) throw invalid('ports', 'is empty', 'an instance has at least one port')
  if (list.length === 1) return [readPort(list[0], 'ports[0]')]
  return withDistinctNames(
    list.map((value, index) => readPort(value, `ports[${index}]`)),
    list,
  )
}

function readPort(value: unknown, field: string): Port {
  if (typeof value === 'number')
    return { name: 'http', number: checkPortNumber(value, field), protocol: 'http', tls: false }
  const port = checkRecord(value, field)
  for (const key in port) if (!portFields.has(key)) throw unknownField(key, `${field}.`, portFields)
  const protocol = port.protocol === undefined ? 'http' : readProtocol(port.protocol, `${field}.protocol`)
  const tls = port.tls ?? false
  if (typeof tls !== 'boolean') throw invalid(`${field}.tls`, `is ${shown(tls)} and must be true or false`)
  return {
    name: port.name === undefined ? protocol : checkName(port.name, `${field}.name`),
    number: checkPortNumber(port.number, `${field}.number`),
    protocol,
    tls,
  }
}

function readProtocol(value: unknown, field: string): PortProtocol {
  const protocol = portProtocols.find(known => known === value)
  if (protocol !== undefined) return protocol
  throw invalid(field, `is ${shown(value)}`, `one of ${portProtocols.join(', ')}`)
}

/** An unnamed port is called after its protocol, the second such one `http-8081`; given names must differ. */
function withDistinctNames(ports: readonly Port[], said: readonly unknown[]): readonly Port[] {
  const taken = new Set<string>()
  return ports.map((port, index) => {
    const given = said[index]
    const named = typeof given === 'object' && (given as Fields).name !== undefined
    const name = named || !taken.has(port.name) ? port.name : `${port.name}-${port.number}`
    if (taken.has(name)) throw invalid(`ports[${index}].name`, `is ${shown(name)}, as another port's is`)
    taken.add(name)
    return name === port.name ? port : { ...port, name }
  })
}

function readTags(value: unknown): readonly string[] {
  return checkArray(value, 'tags', limits.tags).map((tag, index) =>
    checkText(tag, `tags[${index}]`, limits.tag),
  )
}

function readMetadata(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(checkRecord(value, 'metadata'))
  const most = limits.metadataEntries
  if (entries.length > most) throw invalid('metadata', `has ${entries.length} entries; ${most} at most`)
  for (const [key, text] of entries) {
    const field = `metadata.${key.slice(0, 80)}`
    if (key.length === 0 || key.length > limits.metadataKey) {
      throw invalid(field, `is a key of ${key.length} characters; 1 to ${limits.metadataKey}`)
    }
    checkText(text, field, limits.metadataValue)
    // Only a text near the limit can have more bytes than it allows.
    if (
      (text as string).length * 3 > limits.metadataValue &&
      Buffer.byteLength(text as string) > limits.metadataValue
    ) {
      throw invalid(field, `has more than ${limits.metadataValue} bytes`)
    }
  }
  const { priority } = value as { readonly priority?: string }
  if (priority !== undefined) checkPriority(priority)
  // A copy without the prototype's traps: `__proto__` stays a key like any other.
  return Object.fromEntries(entries) as Record<string, string>
}
