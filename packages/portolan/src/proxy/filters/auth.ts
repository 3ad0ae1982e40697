import {
  type AuthSettings,
  parseServiceKey,
  type RouteTable,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import type { AuthHooks, HookAnswer, HookTarget } from '../auth/auth-hooks.ts'
import { Verdicts } from '../auth/verdicts.ts'
import type { PathContext } from '../path-context.ts'
import { type Problem, problems } from '../problem.ts'
import type { Ending, Filter, RequestContext, Verdict } from './filter.ts'
import type { FilterEntry, Station } from './station.ts'

/** What an instance may be told in one field. */
const longestValue = 4096
const plainValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Asks somebody else whether the request may pass, and tells the instance what was said of it. */
class AuthFilter implements Filter {
  readonly noTrailers: readonly string[]
  readonly #path: PathContext
  readonly #settings: AuthSettings
  readonly #target: HookTarget
  readonly #hooks: AuthHooks
  readonly #known = new Verdicts()
  readonly #headers: readonly string[]
  readonly #take: readonly string[]

  constructor(path: PathContext, settings: AuthSettings, target: HookTarget) {
    this.#path = path
    this.#hooks = path.authHooks
    this.#settings = settings
    this.#target = target
    this.#headers = settings.headers.map(name => name.toLowerCase())
    this.#take = settings.take.map(name => name.toLowerCase())
    // What the hook has been asked by, the instance is not to read otherwise.
    this.noTrailers = [...this.#take, ...this.#headers].map(name => name.replaceAll('_', '-'))
  }

  request(request: RequestContext): Verdict {
    const { cacheForMs } = this.#settings
    request.keepAsked()
    for (const name of this.#take) request.withholdAlike(name)
    const key = cacheForMs > 0 ? this.#keyOf(request) : ''
    const known = cacheForMs > 0 ? this.#known.get(key, this.#path.clock.now()) : undefined
    if (known !== undefined) {
      this.#hooks.counts.cached++
      request.lines += known
      return undefined
    }
    const asking = new AbortController()
    request.asking = asking
    void this.#ask(request, asking, this.#questionOf(request), key)
    return 'later'
  }

  ended(request: RequestContext, _: Ending): void {
    request.asking?.abort()
    request.asking = undefined
  }

  /** Never rejects. */
  async #ask(
    request: RequestContext,
    asking: AbortController,
    asked: Readonly<Record<string, string | string[]>>,
    key: string,
  ): Promise<void> {
    let answer: HookAnswer | undefined
    let why = ''
    try {
      answer = await this.#hooks.ask(this.#target, asked, this.#settings.timeoutMs, asking.signal)
    } catch (thrown) {
      why = thrown instanceof Error ? thrown.message : String(thrown)
    }
    // The client has left, and may be somewhere else with its next request.
    if (request.asking !== asking) return
    request.asking = undefined
    request.goOn(this.#judge(request, answer, key, why))
  }

  #judge(
    request: RequestContext,
    answer: HookAnswer | undefined,
    key: string,
    why: string,
  ): Problem | undefined {
    const { counts } = this.#hooks
    if (answer !== undefined && answer.status >= 200 && answer.status < 300) {
      const lines = this.#linesOf(answer)
      counts.allowed++
      request.lines += lines
      this.#remember(answer, key, lines)
      return undefined
    }
    if (answer?.status === 401 || answer?.status === 403) {
      counts.refused++
      return refusalOf(answer)
    }
    this.#path.log.debug(
      { event: 'auth-unavailable', status: answer?.status, why },
      'nobody says whether it may pass',
    )
    if (this.#settings.failOpen) {
      counts['let-through']++
      return undefined
    }
    counts.unavailable++
    return problems.authUnavailable
  }

  #remember({ headers }: HookAnswer, key: string, lines: string): void {
    const { cacheForMs } = this.#settings
    const control = headers['cache-control']
    if (cacheForMs === 0 || (typeof control === 'string' && /no-store|no-cache/i.test(control))) return
    this.#known.set(key, lines, this.#path.clock.now() + cacheForMs)
  }

  /** All that {@link #questionOf} asks with. */
  #keyOf(request: RequestContext): string {
    const { asked, hop } = request
    const parts = [asked.method, asked.path, asked.host, hop?.scheme, asked.forwardedFor, hop?.peer]
    for (const name of this.#headers) {
      const values = request.headers(name)
      parts.push(String(values.length), ...values)
    }
    return Verdicts.keyOf(parts)
  }

  #questionOf(request: RequestContext): Record<string, string | string[]> {
    const { asked, hop } = request
    const forwardedFor = asked.forwardedFor === undefined ? '' : `${asked.forwardedFor}, `
    const question: Record<string, string | string[]> = {
      'x-forwarded-method': asked.method,
      'x-forwarded-uri': asked.path,
      'x-forwarded-host': asked.host,
      'x-forwarded-proto': hop?.scheme ?? 'http',
      'x-forwarded-for': `${forwardedFor}${hop?.peer ?? ''}`,
    }
    for (const name of this.#headers) {
      const values = request.headers(name)
      if (values.length > 0) question[name] = values.length === 1 ? (values[0] ?? '') : [...values]
    }
    return question
  }

  #linesOf({ headers }: HookAnswer): string {
    let lines = ''
    for (const name of this.#take) {
      const values = headers[name]
      for (const value of typeof values === 'string' ? [values] : (values ?? [])) {
        if (value.length <= longestValue && plainValue.test(value)) lines += `${name}: ${value}\r\n`
      }
    }
    return lines
  }
}

/** What the client gets of a refusal: its status, how to do better, and its body. */
function refusalOf({ status, headers, body }: HookAnswer): Problem {
  const wanted = headers['www-authenticate']
  const challenges = typeof wanted === 'string' ? [wanted] : (wanted ?? [])
  const lines = challenges
    .map(value => (plainValue.test(value) ? `WWW-Authenticate: ${value}\r\n` : ''))
    .join('')
  const problem = { ...(status === 401 ? problems.authRequired : problems.authRefused), lines }
  if (body === '') return problem
  const said = headers['content-type']
  const type = typeof said === 'string' && plainValue.test(said) ? said : undefined
  return { ...problem, content: { type, body } }
}

function targetOf(
  { url, service, path = '/' }: AuthSettings,
  { path: context }: Station,
): HookTarget | undefined {
  if (url !== undefined) return { url }
  if (service === undefined) return undefined
  const name = parseServiceKey(service)
  return { path, balancer: () => context.lookUp(name)?.balancer }
}

/** Nobody is asked here. What only the service's hook may say, nobody says of himself all the same. */
function claimsOf(settings: AuthSettings | undefined): Filter | undefined {
  if (settings === undefined || settings.take.length === 0) return undefined
  const names = settings.take.map(name => name.toLowerCase())
  return {
    noTrailers: names.map(name => name.replaceAll('_', '-')),
    request(request) {
      for (const name of names) request.withholdAlike(name)
      return undefined
    },
  }
}

/** Services whose instances are asked: worth knowing before the first request. */
export function hookServices({ routes, auths = {} }: RouteTable): readonly ServiceName[] {
  const all = [...Object.values(auths), ...routes.map(route => route.auth)]
  return all.flatMap(settings =>
    typeof settings === 'object' && settings.service !== undefined ? [parseServiceKey(settings.service)] : [],
  )
}

export const auth: FilterEntry = {
  name: 'auth',
  why: 'after what is cheaper to refuse, and before a request takes a place at the service',
  make(station) {
    const { route, service, table, path } = station
    const key = serviceKey(service.name)
    const { auths = {} } = table
    const settings = route?.auth ?? (Object.hasOwn(auths, key) ? auths[key] : undefined)
    if (settings === undefined) return undefined
    if (settings === 'none') return claimsOf(Object.hasOwn(auths, key) ? auths[key] : undefined)
    const target = targetOf(settings, station)
    // What a newer registry means by other words is not known here: then nobody passes.
    if (target === undefined) return { request: () => problems.authUnavailable }
    return new AuthFilter(path, settings, target)
  },
}
