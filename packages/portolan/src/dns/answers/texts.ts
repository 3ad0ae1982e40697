import type { Instance } from '@portolan/core'

/** One string of a TXT record holds so many bytes (RFC 1035 section 3.3). */
const longestText = 255

/**
 * What a TXT record says of an instance: `id`, `version` and `zone`, then its metadata, as `key=value` (RFC 1464). What does
 * not fit into one string is left out: half a value is another value.
 */
export function textsOf({ id, version, zone, metadata }: Instance): readonly string[] {
  const own = Object.entries({ id, version, zone }).filter(([, value]) => value !== undefined)
  const names = new Set(own.map(([key]) => key))
  const others = Object.entries(metadata).filter(([key]) => key !== '' && !names.has(key.toLowerCase()))
  return [...own, ...others]
    .map(([key, value]) => `${quoted(key)}=${value}`)
    .filter(text => Buffer.byteLength(text) <= longestText)
}

/** RFC 1464 section 2: grave accents, equal signs, and blanks at either end of a key have a grave accent before them. */
function quoted(key: string): string {
  return key.replace(/[`=]|^[ \t]+|[ \t]+$/g, special =>
    [...special].map(character => `\`${character}`).join(''),
  )
}
