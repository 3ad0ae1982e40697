import type { Instance, ScriptCheck } from '@portolan/core'

/** Marks the processes of one run, so that those that left its process group are found again. */
export const runVariable = 'PORTOLAN_RUN'

const inherited = ['PATH', 'HOME', 'LANG', 'TZ'] as const
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * All that a script gets to see: where programs and home are, language and time zone of whoever runs it, and what it
 * is to look at. No token, and nothing else of ours.
 */
export function scriptEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  instance: Instance,
  check: ScriptCheck,
  run: string,
): Record<string, string> {
  const environment: Record<string, string> = { PATH: usualPath }
  for (const name of inherited) {
    const value = own[name]
    if (value !== undefined) environment[name] = value
  }
  const [port] = instance.ports
  return {
    ...environment,
    PORTOLAN_SERVICE: instance.service,
    PORTOLAN_NAMESPACE: instance.namespace,
    PORTOLAN_INSTANCE: instance.id,
    PORTOLAN_ADDRESS: instance.addresses[0] ?? '',
    PORTOLAN_PORT: port === undefined ? '' : String(port.number),
    PORTOLAN_CHECK: check.id,
    [runVariable]: run,
  }
}
