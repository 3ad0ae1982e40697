import { Fault, isPolicyName, outlierDefaults, policyNames, suggestion } from '@portolan/core'
import type { ServiceOptions } from './service.ts'

/** What is wanted, and how a program says so; undefined = the value is right. */
type Rule = (value: unknown) => string | undefined

/** `setTimeout` takes no more, and makes 1 ms of what is. */
const longestMs = 2 ** 31 - 1
const largestSubset = 100_000

const text: Rule = value => (typeof value === 'string' ? undefined : 'a text')
const map: Rule = value => (isMap(value) ? undefined : 'an object')
const count = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most
const milliseconds: Rule = value =>
  typeof value === 'number' && value >= 0 && value <= longestMs
    ? undefined
    : `milliseconds: a number from 0 to ${longestMs}, as in 30_000`

const rules: Readonly<Record<keyof ServiceOptions, Rule>> = {
  policy: value => {
    if (typeof value !== 'string') return `one of ${policyNames.join(', ')}`
    return isPolicyName(value) ? undefined : suggestion(value, policyNames)
  },
  zone: text,
  slowStartMs: milliseconds,
  subset: value =>
    count(value, 0, largestSubset) ? undefined : `a whole number from 0 to ${largestSubset}; 0: all`,
  hashBalanceFactor: value =>
    typeof value === 'number' && value >= 1 && value <= 10
      ? undefined
      : 'a factor from 1 to 10: 1.25 = no instance above 1.25 times its share',
  namespace: text,
  port: value => text(value) && 'the name of a port, as a text',
  timeoutMs: milliseconds,
  connectMs: milliseconds,
  firstSetMs: milliseconds,
  connections: value => (count(value, 1, Number.MAX_SAFE_INTEGER) ? undefined : 'a whole number, 1 or more'),
  outliers: map,
  tls: map,
}

const outlierRule: Rule = value =>
  typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
    ? undefined
    : 'a number, 0 or more'

/** What the configuration file calls otherwise than the library. */
const otherwise: Readonly<Record<string, string>> = {
  slowStart: 'it is slowStartMs here, in milliseconds: { slowStartMs: 30_000 }',
  hashBy: 'each call brings its own key here: pick({ hashKey }), fetch(path, { hashKey })',
}

/**
 * Looks at all that a program says of how it calls a service, before any of it is used.
 * @throws Fault `config_invalid` that names the option, what came and what is wanted
 */
export function checkServiceOptions(options: unknown, service: string): void {
  if (!isMap(options)) throw invalid(`the options of ${service} are ${shown(options)}`, 'pass an object')
  checkEach(options, rules, `service ${service}: `)
  if (options.outliers === undefined) return
  const known = Object.fromEntries(Object.keys(outlierDefaults).map(key => [key, outlierRule]))
  checkEach(options.outliers as Fields, known, `service ${service}: outliers.`)
}

type Fields = Readonly<Record<string, unknown>>

function checkEach(given: Fields, known: Readonly<Record<string, Rule>>, where: string): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(known, name) ? known[name] : undefined
    if (rule === undefined) {
      const hint = Object.hasOwn(otherwise, name) ? otherwise[name] : undefined
      throw invalid(`${where}${name.slice(0, 80)} is no option`, hint ?? suggestion(name, Object.keys(known)))
    }
    if (value === undefined) continue
    const wanted = rule(value)
    if (wanted !== undefined) throw invalid(`${where}${name} is ${shown(value)}`, wanted)
  }
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

function invalid(message: string, hint: string): Fault {
  return new Fault('config_invalid', message, { source: 'caller', hint })
}
