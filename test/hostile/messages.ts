/**
 * A reader of HTTP/1.1 that shares no line with the gateway's: simple, since what it reads has been made plain by the
 * gateway, and unforgiving, since anything that is not plain there is a fault of the gateway's.
 */

export interface Message {
  readonly start: string
  /** In order, names in lower case. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
}

export interface Reading {
  readonly messages: readonly Message[]
  /** What of a message has come that is not whole. */
  readonly rest: string
  /** Why it can't be read any further. */
  readonly fault: string | undefined
  /** Whether the last message ends only with the connection. */
  readonly open: boolean
}

const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/

const noTrailer =
  /^(?:host|content-length|transfer-encoding|connection|portolan-hop|x-forwarded-.*|x-request-timeout-ms)$/

type Bodiless = (start: string, index: number) => boolean

/** @param bodiless whether message `index` has no body, whatever its fields say */
export function readMessages(text: string, ended: boolean, bodiless: Bodiless): Reading {
  const messages: Message[] = []
  let at = 0
  for (;;) {
    const stop = (fault?: string): Reading => ({ messages, rest: text.slice(at), fault, open: false })
    if (at === text.length) return stop()
    const end = text.indexOf('\r\n\r\n', at)
    if (end < 0) return stop()
    const [start = '', ...lines] = text.slice(at, end).split('\r\n')
    const fields: [string, string][] = []
    for (const line of lines) {
      const [, name, value] = fieldLine.exec(line) ?? []
      if (name === undefined || value === undefined) return stop(`a line ${JSON.stringify(line)}`)
      fields.push([name.toLowerCase(), value.replace(/[ \t]+$/, '')])
    }
    const body = readBody(text, end + 4, fields, {
      none: bodiless(start, messages.length),
      isAnswer: start.startsWith('HTTP/'),
      ended,
    })
    if (body === 'incomplete') return stop()
    if ('fault' in body) return stop(body.fault)
    messages.push({ start, fields, body: body.content })
    if (body.open) return { messages, rest: '', fault: undefined, open: true }
    at = body.end
  }
}

interface BodyContext {
  readonly none: boolean
  readonly isAnswer: boolean
  readonly ended: boolean
}

type Body =
  | 'incomplete'
  | { readonly fault: string }
  | { readonly content: string; readonly end: number; readonly open?: boolean }

function readBody(
  text: string,
  from: number,
  fields: readonly (readonly [string, string])[],
  { none, isAnswer, ended }: BodyContext,
): Body {
  const values = (name: string) => fields.filter(([other]) => other === name).map(([, value]) => value)
  const [lengths, codings] = [values('content-length'), values('transfer-encoding')]
  if (lengths.length + codings.length > 1) return { fault: 'two lengths' }
  const [length] = lengths
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return { fault: `a length of ${length}` }
  if (codings.length > 0 && codings[0]?.toLowerCase() !== 'chunked')
    return { fault: `a coding ${codings[0]}` }
  if (none) return { content: '', end: from }
  if (length !== undefined) {
    const end = from + Number(length)
    return end > text.length ? 'incomplete' : { content: text.slice(from, end), end }
  }
  if (codings.length > 0) return readChunks(text, from)
  if (!isAnswer) return { content: '', end: from }
  return ended ? { content: text.slice(from), end: text.length, open: true } : 'incomplete'
}

function readChunks(text: string, from: number): Body {
  let content = ''
  let at = from
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return 'incomplete'
    const size = text.slice(at, lineEnd)
    if (!/^[0-9a-fA-F]{1,13}$/.test(size)) return { fault: `a chunk size ${JSON.stringify(size)}` }
    at = lineEnd + 2
    if (Number.parseInt(size, 16) === 0) break
    const end = at + Number.parseInt(size, 16)
    if (text.length < end + 2) return 'incomplete'
    if (text.slice(end, end + 2) !== '\r\n') return { fault: 'a chunk that ends elsewhere' }
    content += text.slice(at, end)
    at = end + 2
  }
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return 'incomplete'
    const line = text.slice(at, lineEnd)
    at = lineEnd + 2
    if (line === '') return { content, end: at }
    const name = fieldLine.exec(line)?.[1]?.toLowerCase()
    if (name === undefined) return { fault: `a trailer ${JSON.stringify(line)}` }
    if (noTrailer.test(name.replaceAll('_', '-'))) return { fault: `a trailer ${name}` }
  }
}
