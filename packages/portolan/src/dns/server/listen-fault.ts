import { Fault, formatHostPort, type HostPort } from '@portolan/core'

/** Why DNS can't listen there: `address_in_use` or `config_invalid`. */
export function listenFault(
  error: NodeJS.ErrnoException,
  { host, port }: HostPort,
  transport: 'UDP' | 'TCP',
): Fault {
  const where = formatHostPort(host, port)
  if (error.code === 'EADDRINUSE') {
    return new Fault('address_in_use', `${where} is taken (${transport})`, {
      source: 'caller',
      cause: error,
      hint: 'stop the other program, or choose another address for dns.listen',
    })
  }
  const hint =
    error.code === 'EACCES'
      ? 'ports below 1024 take a right of their own: setcap cap_net_bind_service=+ep on the Node binary, sysctl net.ipv4.ip_unprivileged_port_start=53, or a port of 1024 or more'
      : undefined
  return new Fault('config_invalid', `DNS can't listen on ${where} (${transport}): ${error.message}`, {
    source: 'caller',
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}
