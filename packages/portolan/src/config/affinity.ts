import { createHmac } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AffinitySettings, type RouteTable, serviceKey } from '@portolan/core'
import type { SourceDocument } from './document.ts'
import { formatPath, type Path, type Problem } from './problem.ts'
import type { Config } from './schema.ts'

/** Whether any service holds its clients: then there has to be a secret. */
export function hasAffinity({ services }: Config): boolean {
  return Object.values(services).some(({ balancer }) => balancer.affinity !== undefined)
}

/**
 * How clients are held, by service key. Each service has keys of its own, which tell nothing of the secrets.
 * @param secrets the first is what new cookies are signed by; without any, each gateway signs by itself
 */
export function serviceAffinity(
  { services }: Config,
  secrets: readonly Uint8Array[],
): Pick<RouteTable, 'affinity'> {
  const chosen = Object.entries(services).flatMap(([key, { balancer }]) => {
    if (balancer.affinity === undefined) return []
    const { maxAge, domain, ...rest } = balancer.affinity
    const settings: AffinitySettings = {
      ...rest,
      ...(maxAge === undefined ? {} : { maxAgeMs: maxAge }),
      ...(domain === undefined ? {} : { domain }),
      ...(secrets.length === 0 ? {} : { keys: secrets.map(secret => keyFor(key, secret)) }),
    }
    return [[key, settings] as const]
  })
  return chosen.length === 0 ? {} : { affinity: Object.fromEntries(chosen) }
}

function keyFor(service: string, secret: Uint8Array): string {
  return createHmac('sha256', secret).update(`portolan affinity\0${service}`).digest('base64url')
}

/** What applications keep their own sessions by, by default: the gateway's cookie would take its place. */
const usual: ReadonlyMap<string, string> = new Map([
  ['JSESSIONID', 'Java servlets'],
  ['PHPSESSID', 'PHP'],
  ['ASP.NET_SessionId', 'ASP.NET'],
  ['.AspNetCore.Session', 'ASP.NET Core'],
  ['.AspNetCore.Cookies', 'ASP.NET Core'],
  ['connect.sid', 'Express'],
  ['session', 'Flask and others'],
  ['sessionid', 'Django'],
  ['csrftoken', 'Django'],
  ['laravel_session', 'Laravel'],
  ['XSRF-TOKEN', 'Laravel and Angular'],
  ['_session_id', 'Rails'],
  ['next-auth.session-token', 'NextAuth.js'],
])

/** A warning for each cookie that would be in somebody's way, another service's or an application's. */
export function affinityWarnings(
  config: Config,
  folder: string,
  document: SourceDocument,
): readonly Problem[] {
  const warn = (path: Path, message: string, hint: string): Problem => ({
    ...document.keyAt(path),
    path: formatPath(path),
    message,
    hint,
  })
  const holding = Object.entries(config.services).flatMap(([name, { balancer }]) =>
    balancer.affinity === undefined ? [] : [{ name, ...balancer.affinity, hashBy: balancer.hashBy }],
  )
  const problems = holding.flatMap(({ name, cookie, path, hashBy }, index) => {
    const at = ['services', name, 'balancer', 'affinity', 'cookie']
    const owner = usual.get(cookie)
    const other = holding.slice(0, index).find(one => one.cookie === cookie && one.path === path)
    const found: Problem[] = []
    if (owner !== undefined) {
      const what = `${cookie} is what sessions of ${owner} are kept by: the gateway’s cookie would replace them`
      found.push(warn(at, what, 'give it a name of its own; for the application’s own cookie, write hashBy'))
    }
    if (other !== undefined) {
      const what = `${other.name} has the same cookie: under one host, each would replace the other’s`
      found.push(warn(at, what, 'give each service a name of its own'))
    }
    if (hashBy === `cookie:${cookie}`) {
      const what = 'this is the cookie that the gateway itself issues: it is no key of requests'
      found.push(warn(['services', name, 'balancer', 'hashBy'], what, 'leave hashBy out, or affinity'))
    }
    return found
  })
  const splits = config.gateway.routes.flatMap(({ split = [], splitBy }, index) => {
    const sides = split.map(({ service, namespace }) => serviceKey({ service, namespace }))
    const own = holding.find(({ name, cookie }) => sides.includes(name) && splitBy === `cookie:${cookie}`)
    if (own === undefined) return []
    const what = `${own.name} issues this cookie itself: a client’s side would change when it gets one`
    const hint = 'divide by what the client has already: address, a header, or a cookie of the application'
    return [warn(['gateway', 'routes', index, 'splitBy'], what, hint)]
  })
  const { affinitySecret } = config.gateway
  const isMissing = affinitySecret !== undefined && !existsSync(resolve(folder, affinitySecret))
  const hint = 'make it with `openssl rand -base64 33`: without it, no service can have affinity'
  const missing = isMissing ? [warn(['gateway', 'affinitySecret'], 'there is no such file', hint)] : []
  return [...missing, ...problems, ...splits]
}
