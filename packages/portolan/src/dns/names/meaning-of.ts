import type { Directory, KnownService, Versioned } from '../directory/directory.ts'
import { consulMeaning } from './consul-style.ts'
import { labelsOf, placeInDomains } from './labels.ts'
import type { Domain, Meaning } from './meaning.ts'
import type { Found } from './portolan-forms.ts'
import { portolanMeaning } from './portolan-style.ts'
import { addressOfReverse } from './reverse.ts'
import { sayableAddresses } from './target.ts'

/** A name as it was understood. */
export interface Reading {
  /** The domain that it is in; for reverse names the one that targets are named in. */
  readonly domain: Domain
  readonly meaning: Meaning
  /** The service that it is about, or whose instance it names. */
  readonly known?: KnownService
  /** What the reading changes with. */
  readonly source: Versioned
}

/** No service, zone and tag of ours needs as many; and whoever asks for more is not to cost us more. */
const mostLabels = 16

const styles: Readonly<Record<Domain['style'], (labels: readonly string[], directory: Directory) => Found>> =
  {
    portolan: portolanMeaning,
    consul: consulMeaning,
  }

/**
 * What a name stands for: only what there is, whether it may be picked or not. The directory resolves what could be read in
 * two ways.
 * @param name in lower case, without the last dot
 * @returns `undefined`: it is not ours, being in none of the domains and no reverse name of an address that we know
 */
export function meaningOf(
  name: string,
  domains: readonly Domain[],
  directory: Directory,
): Reading | undefined {
  const place = placeInDomains(labelsOf(name), domains)
  if (place === undefined) return reverseMeaning(name, domains, directory)
  const { domain, own } = place
  if (own.length > mostLabels || name.includes('\\')) {
    return { domain, meaning: { kind: 'nothing' }, source: directory }
  }
  const found = styles[domain.style](own, directory)
  const { meaning, known, isFirm = false } = found
  if (known === undefined) return { domain, meaning, source: directory }
  return { domain, meaning, known, source: isFirm ? known : directory }
}

function reverseMeaning(name: string, domains: readonly Domain[], directory: Directory): Reading | undefined {
  const ip = addressOfReverse(name)
  const domain = domains.find(({ style }) => style === 'portolan') ?? domains[0]
  if (ip === undefined || domain === undefined) return undefined
  const isOurs = directory.addressed(ip).some(instance => sayableAddresses(instance).includes(ip))
  return isOurs ? { domain, meaning: { kind: 'reverse', ip }, source: directory } : undefined
}
