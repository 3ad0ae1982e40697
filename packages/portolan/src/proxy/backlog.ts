import type { Memory } from './limits/memory.ts'

const empty = Buffer.alloc(0)
const smallest = 512

/** Bytes of one connection that can't be used yet: a head's beginning, a pipelined request. Empty, it holds no memory. */
export class Backlog {
  bytes: Buffer = empty
  from = 0
  end = 0
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  get size(): number {
    return this.end - this.from
  }

  /** Takes bytes in at the end. Returns by how much those held before have moved to make room. */
  append(source: Uint8Array, from: number, end: number): number {
    const added = end - from
    let moved = 0
    if (this.end + added > this.bytes.length) {
      const { size } = this
      const target =
        size + added > this.bytes.length / 2
          ? Buffer.allocUnsafeSlow(Math.max(smallest, (size + added) * 2))
          : this.bytes
      this.bytes.copy(target, 0, this.from, this.end)
      moved = -this.from
      this.#memory.kept += target.length - this.bytes.length
      this.bytes = target
      this.from = 0
      this.end = size
    }
    this.bytes.set(source.subarray(from, end), this.end)
    this.end += added
    return moved
  }

  /** Everything before `position` has been used. */
  consumed(position: number): void {
    this.from = position
    if (position === this.end) this.drop()
  }

  drop(): void {
    this.#memory.kept -= this.bytes.length
    this.bytes = empty
    this.from = 0
    this.end = 0
  }
}
