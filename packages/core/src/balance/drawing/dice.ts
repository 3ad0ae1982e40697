import { mulberry32, mulberryStep, type Random } from '../../time/clock.ts'

/**
 * Chance on the way of a request, in whole numbers: a fraction that a function returns costs an object (16 bytes)
 * wherever the compiler does not put the function into its caller, and a pick throws two or three times.
 */
export interface Dice {
  /** Uniform in 0 to `count` - 1. @param count 2^31 - 1 at most */
  below(count: number): number
  /** Uniform in [0, 1), in steps of 2^-32: for the paths that are seldom taken. */
  fraction(): number
}

/** Dice with a state of their own (mulberry32, 32 bits): one number of `random` says where they begin. */
export function diceFrom(random: Random): Dice {
  return new SeededDice((random() * 2 ** 32) | 0)
}

class SeededDice implements Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(count: number): number {
    return ((this.#next() >>> 0) * (count / 2 ** 32)) | 0
  }

  fraction(): number {
    return (this.#next() >>> 0) / 2 ** 32
  }

  #next(): number {
    this.#state = (this.#state + mulberryStep) | 0
    return mulberry32(this.#state)
  }
}
