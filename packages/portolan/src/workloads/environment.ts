/** What the supervisor adds to a program's environment. */
export interface ProgramEnvironment {
  readonly port?: number
  readonly url?: string
  readonly service?: string
  readonly instance?: string
  readonly token?: string
  /** Marks the processes of one launch, so that they are known again after the supervisor was killed. */
  readonly launch?: string
}

export const launchVariable = 'PORTOLAN_LAUNCH'

const inherited = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TERM', 'TMPDIR'],
  ...['COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'XDG_RUNTIME_DIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
])
const inheritedPrefixes = ['LC_', 'NODE_']
// They describe a channel between the supervisor and its own parent: in a grandchild they name a descriptor that is
// not there, or another process's place in a cluster.
const never = new Set(['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID'])

/**
 * What a supervised program sees of the supervisor's own environment: where programs, home, locale, time zone,
 * certificates and outgoing proxies are, and `NODE_*`. Nothing else, so that the server's secrets stay its own.
 */
export function inheritedEnvironment(own: NodeJS.ProcessEnv): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || never.has(name)) continue
    if (inherited.has(name) || inheritedPrefixes.some(prefix => name.startsWith(prefix))) passed[name] = value
  }
  return passed
}

/** The contract with a program: `PORT` and the `PORTOLAN_…` variables; those that have no value are absent. */
export function portolanEnvironment(given: ProgramEnvironment): Record<string, string> {
  const variables: Record<string, string | undefined> = {
    PORT: given.port === undefined ? undefined : String(given.port),
    PORTOLAN_URL: given.url,
    PORTOLAN_SERVICE: given.service,
    PORTOLAN_INSTANCE: given.instance,
    PORTOLAN_TOKEN: given.token,
    [launchVariable]: given.launch,
  }
  return Object.fromEntries(
    Object.entries(variables).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}
