import { Fault } from '@portolan/core'

/** The environment variables that this package reads. */
export type Environment = Readonly<Record<string, string | undefined>>

const defaultUrl = 'http://127.0.0.1:7400'

/** The registries to connect to: the arguments, or `PORTOLAN_URL` (a comma list), or the port of `portolan up`. */
export function registryUrls(
  given: string | readonly string[] | undefined,
  environment: Environment,
): readonly string[] {
  const listed = given ?? environment.PORTOLAN_URL ?? defaultUrl
  const urls = (typeof listed === 'string' ? listed.split(',') : listed)
    .map(url => url.trim())
    .filter(url => url !== '')
  if (urls.length === 0) throw invalidUrl('', 'no registry is named')
  return [...new Set(urls.map(sessionUrl))]
}

/** `http://host:7400` → `ws://host:7400/api/v1/session`. A path before it is kept, for registries behind a prefix. */
export function sessionUrl(text: string): string {
  if (!URL.canParse(text)) throw invalidUrl(text, 'is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidUrl(text, 'is neither http nor https')
  if (url.username !== '' || url.password !== '')
    throw invalidUrl(redacted(url), 'carries a user; pass { token }')
  if (url.search !== '' || url.hash !== '') throw invalidUrl(text, 'carries a query or a fragment')
  const prefix = url.pathname.replace(/\/+$/, '')
  return `${url.protocol === 'http:' ? 'ws' : 'wss'}://${url.host}${prefix}/api/v1/session`
}

function redacted(url: URL): string {
  return `${url.protocol}//…@${url.host}`
}

function invalidUrl(text: string, what: string): Fault {
  return new Fault('config_invalid', `the registry address "${text}" ${what}`, {
    source: 'caller',
    hint: `write it like ${defaultUrl}, in connect() or in PORTOLAN_URL`,
  })
}
