/**
 * MurmurHash3 (x86, 32 bits; Austin Appleby, 2011, public domain) over the UTF-16 units of a text, two to a block. Well
 * mixed, and the same in every process, which is what consistent hashing lives by; no defence against somebody who
 * chooses keys in order to make them collide. Takes the whole text, however long, and allocates nothing.
 * @returns -2^31 to 2^31 - 1: below 0 half the time, since a whole number of more than 31 bits costs an object where the
 *   compiler does not see its use
 */
export function hash32(text: string, seed = 0): number {
  const { length } = text
  const even = length & ~1
  let hash = seed | 0
  for (let index = 0; index < even; index += 2) {
    hash ^= mixed(text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  if (even < length) hash ^= mixed(text.charCodeAt(even))
  return finished(hash ^ (2 * length))
}

/** Another 32 bits for each `round` of the same text. */
export function rehash32(hash: number, round: number): number {
  return finished((hash ^ Math.imul(round + 1, 0x9e3779b9)) | 0)
}

function mixed(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

/** Each bit of the input changes each bit of the result with a probability near one half. */
function finished(hash: number): number {
  let word = hash ^ (hash >>> 16)
  word = Math.imul(word, 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return word ^ (word >>> 16)
}
