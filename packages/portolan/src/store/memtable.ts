import type { Change } from './store.ts'

/** What the journal holds of a key and the tree has yet to get. Undefined = deleted. */
export interface Newest {
  readonly key: string
  readonly value: string | undefined
  readonly revision: number
}

/** The newest value of every key that some changes touched. */
export class Memtable {
  readonly #newest = new Map<string, Newest>()
  #size = 0
  #revision = 0

  /** Characters of keys and values. */
  get size(): number {
    return this.#size
  }

  /** Of the last change. */
  get revision(): number {
    return this.#revision
  }

  get(key: string): Newest | undefined {
    return this.#newest.get(key)
  }

  add({ revision, events }: Change): void {
    for (const { key, value } of events) this.#set({ key, value, revision })
    this.#revision = revision
  }

  /** Takes over what came after everything in here. */
  merge(later: Memtable): void {
    for (const newest of later.#newest.values()) this.#set(newest)
    this.#revision = Math.max(this.#revision, later.#revision)
  }

  under(prefix: string): Newest[] {
    return [...this.#newest.values()].filter(({ key }) => key.startsWith(prefix))
  }

  /** By key, nearly as the tree orders them. */
  sorted(): Newest[] {
    return [...this.#newest.keys()].sort().flatMap(key => this.#newest.get(key) ?? [])
  }

  #set(newest: Newest): void {
    const before = this.#newest.get(newest.key)
    if (before !== undefined) this.#size -= sizeOf(before)
    this.#size += sizeOf(newest)
    this.#newest.set(newest.key, newest)
  }
}

function sizeOf({ key, value }: Newest): number {
  return key.length + (value?.length ?? 0)
}
