import { type Milliseconds, patchedServices, type ServiceName } from '@portolan/core'

export interface Remembering {
  /** For how long a service is known after its last instance has gone. */
  readonly rememberMs: Milliseconds
  /** Of those, the last so many. */
  readonly rememberMost: number
}

/** A service that has no instance any more, and until when it is known all the same. */
interface Gone {
  readonly name: ServiceName
  readonly until: Milliseconds
}

/** So many changes are kept apart from the list before they go into it, where nobody asks for it. */
const foldAt = 1024

/** Which services there are, and which there were a little while ago. Time is a parameter. */
export class KnownServices {
  readonly #remembering: Remembering
  /** Those in which somebody is registered. */
  readonly #populated = new Set<string>()
  #declared: ReadonlyMap<string, ServiceName> = new Map()
  /** In the order in which they went, which is that in which they are forgotten. */
  readonly #gone = new Map<string, Gone>()
  /** Those of which something has changed since `#list` was made. */
  readonly #changed = new Map<string, ServiceName>()
  #list: readonly ServiceName[] = []

  constructor(remembering: Remembering) {
    this.#remembering = remembering
  }

  /** Every known one, ordered. The same list for as long as nothing changes. */
  get list(): readonly ServiceName[] {
    if (this.#changed.size === 0) return this.#list
    const put: ServiceName[] = []
    const gone: ServiceName[] = []
    for (const [key, name] of this.#changed) (this.#isKnown(key) ? put : gone).push(name)
    this.#changed.clear()
    this.#list = patchedServices(this.#list, { put, gone })
    return this.#list
  }

  /** When the next one is to be forgotten; `undefined` = none. */
  get forgetsAt(): Milliseconds | undefined {
    const [first] = this.#gone.values()
    return first?.until
  }

  /** Whether anybody is registered in it, as of now. Answers whether that is news. */
  populated(name: ServiceName, isPopulated: boolean, now: Milliseconds): boolean {
    const key = keyOf(name)
    if (this.#populated.has(key) === isPopulated) return false
    if (isPopulated) {
      this.#populated.add(key)
      this.#gone.delete(key)
    } else {
      this.#populated.delete(key)
      this.#remember(key, { name, until: now + this.#remembering.rememberMs })
    }
    this.#note(key, name)
    return true
  }

  /** Those that are known whoever is registered, in place of the last ones. */
  declare(names: readonly ServiceName[]): void {
    const before = this.#declared
    this.#declared = new Map(
      names.map(({ namespace, service }) => [keyOf({ namespace, service }), { namespace, service }]),
    )
    for (const [key, name] of [...before, ...this.#declared]) this.#note(key, name)
  }

  /** Forgets those whose time is over. */
  forget(now: Milliseconds): void {
    for (const [key, { name, until }] of this.#gone) {
      if (until > now) return
      this.#gone.delete(key)
      this.#note(key, name)
    }
  }

  #remember(key: string, gone: Gone): void {
    this.#gone.set(key, gone)
    if (this.#gone.size <= this.#remembering.rememberMost) return
    const [oldest] = this.#gone
    if (oldest === undefined) return
    this.#gone.delete(oldest[0])
    this.#note(oldest[0], oldest[1].name)
  }

  #note(key: string, name: ServiceName): void {
    this.#changed.set(key, name)
    if (this.#changed.size >= foldAt) void this.list
  }

  #isKnown(key: string): boolean {
    return this.#populated.has(key) || this.#declared.has(key) || this.#gone.has(key)
  }
}

function keyOf({ namespace, service }: ServiceName): string {
  return `${namespace}/${service}`
}
