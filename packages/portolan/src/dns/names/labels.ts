import type { Domain } from './meaning.ts'

/** Longest names in text, without the last dot: RFC 1035 section 2.3.4 allows 255 bytes with lengths and root. */
export const longestName = 253
export const longestLabel = 63

const plainLabel = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

/** Whether it can be a label of a host's name as it is (RFC 1123 section 2.1), in lower case. */
export function isPlainLabel(text: string): boolean {
  return text.length <= longestLabel && plainLabel.test(text)
}

/** From the left. An escaped character (`\.`, `\032`) stays as it is, and belongs to its label, dots too. */
export function labelsOf(name: string): readonly string[] {
  if (name === '') return []
  return name.includes('\\') ? (name.match(/(?:\\.|[^.\\])+/gs) ?? []) : name.split('.')
}

/** The labels in front of the domain; `undefined`: they are not below it. */
function labelsBelow(labels: readonly string[], domain: Domain): readonly string[] | undefined {
  const ending = domain.name.split('.')
  const count = labels.length - ending.length
  if (count < 0 || ending.some((label, index) => labels[count + index] !== label)) return undefined
  return labels.slice(0, count)
}

/** The innermost domain that the name is in, and its labels in front of that. */
export function placeInDomains(
  labels: readonly string[],
  domains: readonly Domain[],
): { readonly domain: Domain; readonly own: readonly string[] } | undefined {
  let found: { domain: Domain; own: readonly string[] } | undefined
  for (const domain of domains) {
    const own = labelsBelow(labels, domain)
    if (own !== undefined && (found === undefined || own.length < found.own.length)) found = { domain, own }
  }
  return found
}
