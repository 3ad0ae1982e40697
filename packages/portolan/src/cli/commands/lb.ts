import { type HostPort, parseHostPort, toFault } from '@portolan/core'
import { startLb } from '../../lb.ts'
import { openLog } from '../../observe/log.ts'
import { type Command, type Invocation, type Io, listOption, textOption, usage } from '../command.ts'
import { namingOwner } from '../port-owner.ts'

const defaultListen = '127.0.0.1:7480'
const defaultAdmin = '127.0.0.1:7481'

export const lb: Command = {
  name: 'lb',
  summary: 'run the gateway alone, joined to one or more registries',
  details:
    'The same gateway that `portolan up` runs. It serves what it knew last for as long as no registry answers, and nothing before one has told its routes.',
  options: [
    { flags: '--join <urls>', summary: 'the registries, as a comma list (default: --url)' },
    { flags: '--listen <address>', summary: `where to listen (default: ${defaultListen})`, repeated: true },
    {
      flags: '--admin <address>',
      summary: 'where /metrics, /healthz and /readyz are',
      fallback: defaultAdmin,
    },
    {
      flags: '--trusted-proxy <network>',
      summary:
        'an address or network whose X-Forwarded-* headers are kept, instead of those that the registry names',
      repeated: true,
    },
    { flags: '--zone <name>', summary: 'where it runs: instances of that zone are preferred' },
  ],
  examples: [
    ['portolan lb --join http://127.0.0.1:7400', 'a gateway on 127.0.0.1:7480'],
    [
      'portolan lb --join https://a:7400,https://b:7400 --listen 0.0.0.0:80',
      'for others, joined to two registries',
    ],
    [
      'NODE_EXTRA_CA_CERTS=ca.pem portolan lb --join https://a:7400',
      'a registry whose certificate comes from a private authority',
    ],
  ],
  run: (invocation, io) => runLb(invocation, io),
}

async function runLb(invocation: Invocation, io: Io): Promise<number> {
  const join = textOption(invocation, 'join') ?? textOption(invocation, 'url') ?? io.env.PORTOLAN_URL
  const token = textOption(invocation, 'token') ?? io.env.PORTOLAN_TOKEN
  const zone = textOption(invocation, 'zone')
  const given = listOption(invocation, 'listen')
  const listen = (given.length > 0 ? given : [defaultListen]).map(listenAddress)
  const admin = listenAddress(textOption(invocation, 'admin') ?? defaultAdmin)
  const started = await startLb({
    join: (join ?? 'http://127.0.0.1:7400').split(',').map(url => url.trim()),
    listen,
    admin,
    trustedProxies: listOption(invocation, 'trustedProxy'),
    ...(zone === undefined ? {} : { zone }),
    ...(token === undefined ? {} : { token }),
    signal: io.signal,
    log: openLog(io.env.PORTOLAN_LOG ?? 'warn'),
  }).catch(thrown => {
    throw namingOwner(toFault(thrown), [...listen, admin])
  })
  io.out(`gateway listens on ${started.addresses.join(', ')}, admin on ${started.admin}\n`)
  const joined = started.whenJoined(5000).then(
    () => io.out('joined\n'),
    thrown => io.err(`${toFault(thrown).message}; it goes on trying\n`),
  )
  await aborted(io.signal)
  await started.close()
  await joined
  return 0
}

function listenAddress(text: string): HostPort {
  try {
    return parseHostPort(text, { anyPort: true })
  } catch (thrown) {
    const { message, hint } = toFault(thrown)
    throw usage(message, hint)
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
