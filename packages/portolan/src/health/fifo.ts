/** First in, first out, in a ring that doubles when it is full: O(1) at both ends, where `Array.shift` is not. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = new Array(16)
  #first = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: Item): void {
    if (this.#size === this.#items.length) this.#grow()
    this.#items[(this.#first + this.#size) & (this.#items.length - 1)] = item
    this.#size++
  }

  shift(): Item | undefined {
    if (this.#size === 0) return undefined
    const item = this.#items[this.#first]
    this.#items[this.#first] = undefined
    this.#first = (this.#first + 1) & (this.#items.length - 1)
    this.#size--
    return item
  }

  #grow(): void {
    const ordered = [...this.#items.slice(this.#first), ...this.#items.slice(0, this.#first)]
    this.#items = ordered.concat(new Array(ordered.length))
    this.#first = 0
  }
}
