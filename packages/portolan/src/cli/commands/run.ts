import { defaultNamespace, isPort, type PortProtocol, portProtocols } from '@portolan/core'
import { openLog } from '../../observe/log.ts'
import { parseRegistration } from '../../registry/registration.ts'
import { registrationOf, type ServiceTemplate } from '../../workloads/definition.ts'
import { runProgram } from '../../workloads/run.ts'
import { defaultUrl } from '../api/client.ts'
import { programChecks } from '../checks.ts'
import {
  type Command,
  durationOption,
  type Invocation,
  type Io,
  listOption,
  namespaceOf,
  numberOption,
  textOption,
  usage,
} from '../command.ts'

export const run: Command = {
  name: 'run',
  summary: 'start a program, and register it for as long as it runs',
  details:
    'It is registered when its port opens, gone the moment it exits, and drained before SIGINT, SIGTERM, SIGHUP or SIGQUIT is passed on to it (a second one is passed on at once). It finds PORT, PORTOLAN_URL, PORTOLAN_SERVICE and PORTOLAN_INSTANCE in its environment. A registry that is away never ends it. Ends with the program’s own exit status, or 128 + the number of the signal that ended it.',
  args: [{ name: 'CMD', summary: 'program and arguments, behind `--`; no shell reads them', variadic: true }],
  options: [
    { flags: '--service <name>', summary: 'the service that it is an instance of' },
    {
      flags: '--port <number>',
      summary: 'the port that it opens (default: its PORT, else a free one in PORT)',
    },
    { flags: '--id <id>', summary: 'the instance’s id (default: SERVICE-HOST-PORT)' },
    {
      flags: '--address <ip>',
      summary: 'where others reach it; may be repeated (default: as the registry sees us)',
      repeated: true,
    },
    {
      flags: '--protocol <name>',
      summary: `what the port speaks: ${portProtocols.join(', ')}`,
      fallback: 'http',
    },
    { flags: '--weight <n>', summary: 'its share of the traffic', fallback: '1' },
    { flags: '--zone <zone>', summary: 'the zone that it runs in' },
    { flags: '--tag <tag>', summary: 'a tag; may be repeated', repeated: true },
    { flags: '--meta <key=value>', summary: 'an entry of its metadata; may be repeated', repeated: true },
    {
      flags: '--check <command>',
      summary:
        'a program that says how it is, run beside it: exit status 0 passing, 1 warning, others failing; no shell; may be repeated',
      repeated: true,
    },
    {
      flags: '--check-command <json>',
      summary: 'the same as a JSON array of program and arguments; may be repeated',
      repeated: true,
    },
    {
      flags: '--check-interval <duration>',
      summary: 'from one run of each check to the next',
      fallback: '5s',
    },
    {
      flags: '--check-timeout <duration>',
      summary: 'how long a check may run (default: 5s, at most half the interval)',
    },
    {
      flags: '--grace <duration>',
      summary: 'how long callers may take to let go of it before it is told to stop',
      fallback: '5s',
    },
    {
      flags: '--stop-grace <duration>',
      summary: 'how long it may take to end after SIGTERM before SIGKILL',
      fallback: '30s',
    },
  ],
  examples: [
    ['portolan run --service order -- node order.mjs', 'it listens on the port in PORT'],
    [
      'portolan run --service web --port 8080 --tag blue -- python3 -m http.server 8080',
      'it brings its own port',
    ],
    [
      "portolan run --service mail --check './queue-is-short.sh 1000' -- node mail.mjs",
      'it gets traffic while the queue is short',
    ],
  ],
  async run(invocation, io) {
    const service = templateOf(invocation)
    const port = portOf(invocation)
    const id = textOption(invocation, 'id')
    checkRegistration(service, id)
    const drainGraceMs = durationOption(invocation, 'grace') ?? 5000
    const stopGraceMs = durationOption(invocation, 'stopGrace') ?? 30_000
    const checks = programChecks(invocation, io.cwd)
    const { url, token } = registryOf(invocation, io)
    return runProgram({
      command: invocation.args,
      service,
      url,
      env: { ...io.env },
      cwd: io.cwd,
      random: Math.random,
      log: openLog(io.env.PORTOLAN_LOG ?? 'warn'),
      say: line => io.err(`portolan: ${line}\n`),
      drainGraceMs,
      stopGraceMs,
      ...(checks.length === 0 ? {} : { checks }),
      ...(token === undefined ? {} : { token }),
      ...(port === undefined ? {} : { port }),
      ...(id === undefined ? {} : { id }),
    })
  },
}

function registryOf(
  invocation: Invocation,
  io: Io,
): { readonly url: string; readonly token: string | undefined } {
  return {
    url: textOption(invocation, 'url') ?? io.env.PORTOLAN_URL ?? defaultUrl,
    token: textOption(invocation, 'token') ?? io.env.PORTOLAN_TOKEN,
  }
}

function templateOf(invocation: Invocation): ServiceTemplate {
  const service = textOption(invocation, 'service')
  if (service === undefined) throw usage('which service is it an instance of?', 'write --service NAME')
  const addresses = listOption(invocation, 'address')
  const namespace = namespaceOf(invocation)
  const zone = textOption(invocation, 'zone')
  return {
    service,
    protocol: protocolOf(invocation),
    weight: numberOption(invocation, 'weight', [0, 1_000_000]) ?? 1,
    tags: listOption(invocation, 'tag'),
    metadata: metadataOf(listOption(invocation, 'meta')),
    ...(namespace === defaultNamespace ? {} : { namespace }),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(zone === undefined ? {} : { zone }),
  }
}

/**
 * What every registry would refuse is said before the program starts, not when its port opens.
 * @throws Fault `invalid_request` that names the field
 */
function checkRegistration(service: ServiceTemplate, id = 'any'): void {
  parseRegistration(registrationOf(service, id, { address: '127.0.0.1', port: 1, pid: 1 }))
}

function protocolOf(invocation: Invocation): PortProtocol {
  const said = textOption(invocation, 'protocol') ?? 'http'
  const protocol = portProtocols.find(known => known === said)
  if (protocol === undefined)
    throw usage(`--protocol ${said}: not known`, `there are ${portProtocols.join(', ')}`)
  return protocol
}

function portOf(invocation: Invocation): number | undefined {
  const port = numberOption(invocation, 'port', [1, 65_535])
  if (port === undefined || isPort(port)) return port
  throw usage(`--port ${port}: not a port`, 'a whole number from 1 to 65535')
}

function metadataOf(entries: readonly string[]): Readonly<Record<string, string>> {
  const pairs = entries.map(entry => {
    const at = entry.indexOf('=')
    if (at <= 0) throw usage(`--meta ${entry}: not an entry`, 'write KEY=VALUE')
    return [entry.slice(0, at), entry.slice(at + 1)] as const
  })
  return Object.fromEntries(pairs)
}
