import type { Check, Instance } from '@portolan/core'
import { aimAt } from './probes/aim.ts'

/** Paths and commands may be thousands of characters long. */
const longest = 256

/** What a check looks at, in a few words: `GET /health at port 8080`, `port 5432`, `/opt/check_db.sh --replica 2`. */
export function aimOf(check: Check, instance: Instance): string {
  switch (check.type) {
    case 'ttl':
      return 'its own reports'
    case 'script':
      return cut(check.command.map(quoted).join(' '), longest)
    case 'tcp':
      return placeOf(check, instance)
    case 'grpc':
      return at(check.service, placeOf(check, instance))
    case 'http':
      return at(`${check.method} ${check.path}`, placeOf(check, instance))
  }
}

type Aimed = Extract<Check, { port?: unknown }>

/** A port that the instance does not have is called as it was asked for: the reason of the check says what is wrong. */
function placeOf(check: Aimed, instance: Instance): string {
  const aim = aimAt(instance, check.port, check.type === 'tcp' ? undefined : check.type)
  if (typeof aim === 'string') return `port ${check.port ?? 'unknown'}`
  const tls = check.type === 'tcp' ? false : (check.tls ?? aim.tls)
  return `port ${aim.port}${tls ? ' with TLS' : ''}`
}

function at(what: string, place: string): string {
  return what === '' ? place : `${cut(what, longest - place.length - ' at '.length)} at ${place}`
}

function quoted(argument: string): string {
  return /^[!#-~]+$/.test(argument) ? argument : JSON.stringify(argument)
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
