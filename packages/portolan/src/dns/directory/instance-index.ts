import { canonicalIp, compareServices, type Instance } from '@portolan/core'

/** Those that have one thing in common. The list is made when somebody asks. */
interface Bucket {
  readonly members: Set<Instance>
  list: readonly Instance[] | undefined
}

const nobody: readonly Instance[] = Object.freeze([])

/** Instances of all services by what they have beside a name. One change costs what that instance has of it. */
export class InstanceIndex {
  readonly #byAddress = new Map<string, Bucket>()
  readonly #byHost = new Map<string, Bucket>()

  /** One that is new has no `before`, one that is gone no `after`. */
  replace(before: Instance | undefined, after: Instance | undefined): void {
    if (before !== undefined) {
      for (const address of before.addresses) leave(this.#byAddress, addressKey(address), before)
      if (before.host !== undefined) leave(this.#byHost, before.host.toLowerCase(), before)
    }
    if (after !== undefined) {
      for (const address of after.addresses) enter(this.#byAddress, addressKey(address), after)
      if (after.host !== undefined) enter(this.#byHost, after.host.toLowerCase(), after)
    }
  }

  /** Ordered by namespace, service and id. */
  addressed(ip: string): readonly Instance[] {
    return listed(this.#byAddress.get(ip))
  }

  /** Ordered by namespace, service and id. */
  hosted(host: string): readonly Instance[] {
    return listed(this.#byHost.get(host))
  }

  /** Addresses and hosts that somebody has. */
  get size(): number {
    return this.#byAddress.size + this.#byHost.size
  }
}

/** Canonical, without a zone id: that says by which interface of its own a machine gets there. */
function addressKey(address: string): string {
  // IPv4 has one spelling.
  if (!address.includes(':')) return address
  const zone = address.indexOf('%')
  const plain = zone < 0 ? address : address.slice(0, zone)
  return canonicalIp(plain) ?? plain
}

function enter(buckets: Map<string, Bucket>, key: string, instance: Instance): void {
  const known = buckets.get(key)
  if (known === undefined) {
    buckets.set(key, { members: new Set([instance]), list: undefined })
    return
  }
  known.members.add(instance)
  known.list = undefined
}

function leave(buckets: Map<string, Bucket>, key: string, instance: Instance): void {
  const known = buckets.get(key)
  if (known === undefined) return
  known.members.delete(instance)
  known.list = undefined
  if (known.members.size === 0) buckets.delete(key)
}

function listed(bucket: Bucket | undefined): readonly Instance[] {
  if (bucket === undefined) return nobody
  bucket.list ??= [...bucket.members].sort(byName)
  return bucket.list
}

function byName(a: Instance, b: Instance): number {
  return compareServices(a, b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
