import { type Check, Fault, type Registration, suggestion } from '@portolan/core'
import { coreChecks } from '../config/checks.ts'
import { wording } from '../config/complain.ts'
import { formatPath, type Path } from '../config/problem.ts'
import { checkFields, checkLimits, healthChecks } from '../config/sections/health-checks.ts'
import { checkArray, invalid, shown } from './limits.ts'

/** Characters of all checks of one registration together, as JSON: they are stored with it. */
const mostText = 16_384

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads the checks that a registration asks for, in the configuration's vocabulary, less what strangers may not have
 * us do: run programs, or call anybody but the instance itself.
 * @returns undefined = it asks for none in particular; `[]` = it shall not be tested
 * @throws Fault `invalid_request`, `check_forbidden`, `target_forbidden`, each naming the field
 */
export function parseChecks(input: unknown, registration: Registration): readonly Check[] | undefined {
  const said = (input as Fields | null | undefined)?.checks
  if (said === undefined) return undefined
  const list = checkArray(said, 'checks', checkLimits.checks)
  for (const [index, check] of list.entries()) refuseForbidden(check, `checks[${index}]`)
  const parsed = healthChecks.safeParse(list, { error: wording })
  if (!parsed.success) throw unreadable(parsed.error.issues)
  const checks = coreChecks(parsed.data, '/')
  for (const [index, check] of checks.entries()) knownPort(check, registration, `checks[${index}].port`)
  const length = JSON.stringify(checks).length
  if (length > mostText) throw invalid('checks', `are ${length} characters long; ${mostText} at most`)
  return checks
}

/** Words by which other systems' checks name a program to run. */
const programFields: ReadonlySet<string> = new Set(['script', 'command', 'args', 'cmd', 'exec', 'run'])
const programTypes: ReadonlySet<string> = new Set(['custom', 'script', 'exec', 'docker'])

/** Words by which a check might name somebody else to call. There is no such field, whatever its spelling. */
const hostFields: ReadonlySet<string> = new Set([
  'address',
  'addresses',
  'authority',
  'grpc',
  'host',
  'hostname',
  'http',
  'ip',
  'target',
  'tcp',
  'uri',
  'url',
])

function refuseForbidden(check: unknown, place: string): void {
  if (typeof check !== 'object' || check === null) return
  for (const [key, value] of Object.entries(check)) {
    const word = key.toLowerCase()
    const isProgram =
      programFields.has(word) ||
      (word === 'type' && typeof value === 'string' && programTypes.has(value.trim().toLowerCase()))
    if (isProgram) throw programForbidden(place)
    if (hostFields.has(word)) throw otherTarget(`${place}.${key}`)
    if (word === 'path' && typeof value === 'string' && namesHost(value)) throw otherTarget(`${place}.${key}`)
    if (word === 'headers') refuseHost(value, `${place}.${key}`)
  }
}

/** Absolute form (RFC 9112 section 3.2.2), or a reference that begins with an authority. */
function namesHost(path: string): boolean {
  return /^\s*(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(path)
}

function refuseHost(headers: unknown, place: string): void {
  if (typeof headers !== 'object' || headers === null) return
  const name = Object.keys(headers).find(key => key.trim().toLowerCase() === 'host')
  if (name === undefined) return
  throw new Fault('check_forbidden', `${place}.${name.slice(0, 80)}: a registered check sets no Host`, {
    source: 'caller',
    hint: 'register the name as the instance\'s "host"; checks in the server\'s own file may set it',
  })
}

function programForbidden(place: string): Fault {
  return new Fault('check_forbidden', `${place} would run a program: a registration cannot ask for that`, {
    source: 'caller',
    hint: "write it into the server's own file, or run it beside the program: portolan run --check",
  })
}

function otherTarget(place: string): Fault {
  return new Fault('target_forbidden', `${place} names a host: a check goes to its own instance only`, {
    source: 'caller',
    hint: 'give port and path; the addresses are those of the registration',
  })
}

/** A port that is said by its name has to be there. */
function knownPort(check: Check, { ports }: Registration, place: string): void {
  if (!('port' in check) || typeof check.port !== 'string') return
  const names = ports.filter(({ protocol }) => protocol !== 'udp').map(({ name }) => name)
  if (names.includes(check.port)) return
  const message = `is ${shown(check.port)}, which is no port of this instance that a connection goes to`
  throw invalid(place, message, suggestion(check.port, names))
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** Of `unrecognized_keys`. */
  readonly keys?: readonly string[]
  /** Of `invalid_key`: what is wrong with it. */
  readonly issues?: readonly { readonly message: string }[]
}

/** The first thing that is wrong: the caller mends it and calls again. */
function unreadable([issue]: readonly Issue[]): Fault {
  const path: Path = [
    'checks',
    ...(issue?.path ?? []).map(step => (typeof step === 'number' ? step : String(step))),
  ]
  const place = formatPath(path).slice(0, 200)
  const [key] = issue?.keys ?? []
  if (key !== undefined) {
    const known = path.length === 2 ? checkFields : []
    return invalid(
      `${place}.${key.slice(0, 80)}`,
      'is not a field of a check',
      known.length === 0 ? undefined : suggestion(key, known),
    )
  }
  const [message = 'is not valid', hint] = (issue?.issues?.[0]?.message ?? issue?.message ?? '').split('\n')
  return invalid(`${place}:`, message.slice(0, 300), hint)
}
