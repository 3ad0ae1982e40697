import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { Milliseconds } from '@portolan/core'
import type { Expiring } from '../deadlines.ts'

export interface DescriptorCount {
  /** What the system allows this process; infinite where that can't be known. */
  readonly limit: number
  readonly used: number
}

const countEveryMs: Milliseconds = 5000
/** So much of the limit is left alone: for files, the admin address, the registry, and connections to instances. */
const reserved = 0.05
const leastReserved = 16

/** The process's own, out of /proc. */
export function countDescriptors(): DescriptorCount {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    // Since Linux 6.2 the folder's size is how many there are; before, it is 0.
    const { size } = statSync('/proc/self/fd')
    const used = size > 0 ? size : readdirSync('/proc/self/fd').length
    return { limit: Number(soft ?? Number.POSITIVE_INFINITY), used }
  } catch {
    return { limit: Number.POSITIVE_INFINITY, used: 0 }
  }
}

/**
 * Watches the descriptors of the process, so that clients are turned away with an answer before the system refuses
 * everything. Counted every few seconds; between two counts it goes by the connections that have opened and closed.
 */
export class Descriptors implements Expiring {
  deadline: Milliseconds
  readonly #count: () => DescriptorCount
  readonly #now: () => Milliseconds
  readonly #connections: () => number
  #last: DescriptorCount
  #connectionsThen: number

  /** @param connections how many sockets the gateway has open, to clients and to instances */
  constructor(count: () => DescriptorCount, connections: () => number, now: () => Milliseconds) {
    this.#count = count
    this.#now = now
    this.#connections = connections
    this.#last = count()
    this.#connectionsThen = connections()
    this.deadline = now() + countEveryMs
  }

  get limit(): number {
    return this.#last.limit
  }

  get used(): number {
    return this.#last.used + this.#connections() - this.#connectionsThen
  }

  /** No more clients: what is left is for those that are here. */
  get isShort(): boolean {
    return this.used > this.limit - this.#reserve
  }

  /** Not even for as long as it takes to tell a client why. */
  get isTight(): boolean {
    return this.used > this.limit - 0.75 * this.#reserve
  }

  /** No more connections to instances either. */
  get isExhausted(): boolean {
    return this.used > this.limit - 0.25 * this.#reserve
  }

  get #reserve(): number {
    return Math.min(this.limit / 2, Math.max(leastReserved, this.limit * reserved))
  }

  expire(): void {
    this.deadline = this.#now() + countEveryMs
    this.#last = this.#count()
    this.#connectionsThen = this.#connections()
  }
}
