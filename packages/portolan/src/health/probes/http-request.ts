import { formatHostPort, type HttpCheck } from '@portolan/core'

/** Visible ASCII: a target with anything else in it would be a request of several lines, or none. */
const target = /^(?:\/[!-~]*|\*)$/
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const fieldValue = /^[\t -~\x80-\xff]*$/
/** These say where a message ends or what becomes of the connection: they are ours to say. */
const ours: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Why the request of a check cannot be written, for people; undefined = it can. */
export function unwritable({ path, method, headers }: HttpCheck): string | undefined {
  if (!target.test(path)) return "the check's path is no path of visible ASCII characters that begins with /"
  if (!fieldName.test(method)) return "the check's method is no HTTP method"
  for (const [name, value] of Object.entries(headers)) {
    if (!fieldName.test(name)) return `the check's header ${name} has no valid name`
    if (ours.has(name.toLowerCase())) return `the check's header ${name} must be left to the checker`
    if (!fieldValue.test(value)) return `the check's header ${name} has a value that no header may have`
  }
  return undefined
}

/** The request of a check that is not {@link unwritable}, one character a byte. Its own headers replace ours. */
export function httpRequest(check: HttpCheck, host: string, port: number, tls: boolean): string {
  const usual = port === (tls ? 443 : 80)
  // A zone id means something on this machine alone.
  const name = host.replace(/%.*$/, '')
  const fields = new Map([
    ['host', `Host: ${usual && !name.includes(':') ? name : formatHostPort(name, port)}`],
    ['user-agent', 'User-Agent: portolan-health'],
    ['accept', 'Accept: */*'],
  ])
  if (check.method === 'POST') fields.set('content-length', 'Content-Length: 0')
  for (const [key, value] of Object.entries(check.headers)) fields.set(key.toLowerCase(), `${key}: ${value}`)
  return `${check.method} ${check.path} HTTP/1.1\r\n${[...fields.values()].join('\r\n')}\r\n\r\n`
}
