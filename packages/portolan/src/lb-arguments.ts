import { formatHostPort, type HostPort } from '@portolan/core'
import type { LbOptions } from './lb.ts'

/** The words of a command line that starts this gateway in a process of its own. */
export function lbArguments(
  options: Pick<LbOptions, 'join' | 'listen' | 'admin' | 'trustedProxies' | 'zone'>,
): string[] {
  const many = (flag: string, values: readonly string[]): string[] => values.flatMap(value => [flag, value])
  const text = ({ host, port }: HostPort): string => formatHostPort(host, port)
  return [
    'lb',
    '--join',
    options.join.join(','),
    ...many('--listen', options.listen.map(text)),
    '--admin',
    text(options.admin),
    ...many('--trusted-proxy', options.trustedProxies),
    ...many('--zone', options.zone === undefined ? [] : [options.zone]),
  ]
}
