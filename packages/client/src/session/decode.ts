import { Fault, parseCursor, type ServerMessage } from '@portolan/core'

type Fields = Readonly<Record<string, unknown>>
type Check = (fields: Fields) => boolean

const isText = (value: unknown) => typeof value === 'string'
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: unknown, each: (item: Fields) => boolean) =>
  Array.isArray(value) && value.every(item => isRecord(item) && each(item))

/** As much of an instance as this package touches by itself. */
const isInstance: Check = item =>
  isText(item.id) &&
  isNumber(item.incarnation) &&
  isNumber(item.weight) &&
  Array.isArray(item.addresses) &&
  item.addresses.every(isText) &&
  isList(item.ports, port => isNumber(port.number) && isText(port.protocol)) &&
  isList(item.causes, cause => isText(cause.kind))

const isCursor = (value: unknown) => typeof value === 'string' && parseCursor(value) !== undefined
const isTarget: Check = item =>
  isText(item.service) && (item.namespace === undefined || isText(item.namespace))

/** A newer registry may send routes that lead elsewhere: what becomes of those is for who routes by them. */
const isRoute: Check = route =>
  isRecord(route.match) &&
  (route.service === undefined || isTarget(route)) &&
  (route.split === undefined || isList(route.split, side => isTarget(side) && isNumber(side.weight))) &&
  [route.redirect, route.rewrite].every(value => value === undefined || isRecord(value))

const shapes: Readonly<Record<ServerMessage['type'], Check>> = {
  welcome: item =>
    isText(item.session) && isText(item.epoch) && isNumber(item.pingMs) && isNumber(item.leaseMs),
  done: item => isNumber(item.seq),
  failed: item => isText(item.code) && isText(item.message),
  snapshot: item => isTarget(item) && isCursor(item.cursor) && isList(item.instances, isInstance),
  delta: item =>
    isTarget(item) &&
    isCursor(item.cursor) &&
    isList(item.put, isInstance) &&
    isList(item.gone, gone => isText(gone.id) && isText(gone.reason)),
  routes: item =>
    isRecord(item.table) &&
    isList(item.table.routes, isRoute) &&
    (item.table.exposed === 'all' || Array.isArray(item.table.exposed)),
  services: item =>
    item.services === undefined
      ? isList(item.put, isTarget) && isList(item.gone, isTarget)
      : isList(item.services, isTarget),
  share: item =>
    isTarget(item) &&
    [item.qps, item.burst, item.tokens ?? 0].every(value => isNumber(value) && Number(value) >= 0),
  'may-stop': item => isTarget(item) && isText(item.id),
}

/**
 * Reads one frame of the registry. Types that a newer registry may send are `undefined`; what breaks the protocol
 * throws, and the connection with it is over.
 * @throws Fault `protocol_unsupported`
 */
export function decodeServerMessage(text: string): ServerMessage | undefined {
  const message = parse(text)
  if (!isRecord(message) || !isText(message.type)) throw garbage('a frame without a type', text)
  const check = Object.hasOwn(shapes, message.type as string) && shapes[message.type as ServerMessage['type']]
  if (check === false) return undefined
  if (!fits(check, message)) throw garbage(`a malformed "${String(message.type)}"`, text)
  return message as unknown as ServerMessage
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw garbage('a frame that is not JSON', text)
  }
}

function fits(check: Check, message: Fields): boolean {
  try {
    return check(message)
  } catch {
    return false
  }
}

function garbage(what: string, text: string): Fault {
  return new Fault('protocol_unsupported', `the registry sent ${what}: ${text.slice(0, 80)}`, {
    source: 'upstream',
    retryable: true,
  })
}
