import { defaultNamespace, Fault, type InstanceName, type ServiceName } from '@portolan/core'

/** What a token may do: see instances, register and keep them, or everything (which includes the other two). */
export const verbs = ['read', 'register', 'admin'] as const

export type Verb = (typeof verbs)[number]

/** Stands for every namespace, service or instance. No name can be spelled like this. */
export const every = '*'

/** Verbs over a part of the registry. Each of the three names is exact, or {@link every}. */
export interface Grant {
  readonly verbs: readonly Verb[]
  readonly namespace: string
  readonly service: string
  readonly instance: string
}

/** What somebody wants to do. {@link every} in a place means: to all of them at once. */
export interface Action {
  readonly verb: Verb
  readonly namespace: string
  readonly service: string
  readonly instance: string
}

/** Everything, everywhere. */
export const allGrants: readonly Grant[] = [grant(['admin'], every)]

/** Reading, everywhere. */
export const readGrants: readonly Grant[] = [grant(['read'], every)]

/** A grant over a namespace, one of its services, or one instance. */
export function grant(
  verbs: readonly Verb[],
  namespace: string,
  service: string = every,
  instance: string = every,
): Grant {
  return { verbs, namespace, service, instance }
}

/** What a supervised program needs: keep its own registration, and see whom it may call in its namespace. */
export function instanceGrants(name: InstanceName): readonly Grant[] {
  return [grant(['register'], name.namespace, name.service, name.id), grant(['read'], name.namespace)]
}

export function onService(verb: Verb, name: ServiceName): Action {
  return { verb, namespace: name.namespace, service: name.service, instance: every }
}

export function onInstance(verb: Verb, name: InstanceName): Action {
  return { verb, namespace: name.namespace, service: name.service, instance: name.id }
}

/** The action that only an unlimited administrator may take: minting tokens, reading the configuration. */
export const administer: Action = { verb: 'admin', namespace: every, service: every, instance: every }

/** The decision: one grant must cover the whole action; two halves never add up. */
export function allows(grants: readonly Grant[], action: Action): boolean {
  return grants.some(
    grant =>
      (grant.verbs.includes(action.verb) || grant.verbs.includes('admin')) &&
      covers(grant.namespace, action.namespace) &&
      covers(grant.service, action.service) &&
      covers(grant.instance, action.instance),
  )
}

/** Whether anything at all is allowed to which the verb applies. */
export function allowsSome(grants: readonly Grant[], verb: Verb): boolean {
  return grants.some(({ verbs }) => verbs.includes(verb) || verbs.includes('admin'))
}

function covers(granted: string, wanted: string): boolean {
  return granted === every || granted === wanted
}

const name = '(\\*|[A-Za-z0-9._-]{1,128})'
const shape = new RegExp(`^([a-z]+(?:,[a-z]+)*):(?:${name}/)?${name}(?:#${name})?$`)

/**
 * Reads a grant as people write it: `verb[,verb]:[namespace/]service[#instance]`, for example `register:order`,
 * `read:staging/*`, `register:order#order-1`. A star is every name; without a namespace it is `default`.
 * @throws Fault `invalid_request`
 */
export function parseGrant(text: string): Grant {
  const [, said = '', namespace = defaultNamespace, service, instance = every] = shape.exec(text) ?? []
  const list = said.split(',').filter(isVerb)
  if (service === undefined || list.length !== said.split(',').length) throw unreadable(text)
  if (service === every && instance !== every) throw unreadable(text)
  return grant([...new Set(list)], namespace, service, instance)
}

/** The inverse of {@link parseGrant}. */
export function formatGrant(grant: Grant): string {
  const namespace = grant.namespace === defaultNamespace ? '' : `${grant.namespace}/`
  const instance = grant.instance === every ? '' : `#${grant.instance}`
  return `${grant.verbs.join(',')}:${namespace}${grant.service}${instance}`
}

function isVerb(word: string): word is Verb {
  return (verbs as readonly string[]).includes(word)
}

function unreadable(text: string): Fault {
  return new Fault('invalid_request', `"${text.slice(0, 200)}" is not a grant`, {
    source: 'caller',
    hint: 'write verb[,verb]:[namespace/]service[#instance] with the verbs read, register, admin: "register:order", "read:*"',
  })
}
