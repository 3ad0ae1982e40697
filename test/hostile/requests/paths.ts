import { type RequestCase, served } from '../case.ts'

const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: guarded\r\n\r\n`

/** Answered by the gateway; the connection, on which nothing is in doubt, stays. */
const ambiguous = (path: string): RequestCase => ({
  name: `a path ${JSON.stringify(path)}`,
  steps: [ask(path)],
  answers: ['400 ambiguous_path'],
  fate: 'open',
  seen: [],
})

/** As it came: nobody's bytes are touched. */
const asWritten = (path: string): RequestCase =>
  served(`a path ${JSON.stringify(path)} that is fine`, ask(path), `GET ${path} `)

/**
 * Paths that servers read differently, by a Host whose routes `/public` and `/private` stand before one for all the rest.
 * Whose filters a request passes must not depend on how its path is written.
 */
export const paths: readonly RequestCase[] = [
  ...[
    '/public/../private',
    '/public/./../private',
    '/public/%2e%2e/private',
    '/public/%2E./private',
    '/public/..%2fprivate',
    '/public/..%5Cprivate',
    '/public/..\\private',
    '/public/..;/private',
    '/public/..;a=b/private',
    '/public//../private',
    '/public/x//../../private',
    '/public/x%2fy/../..%2fprivate',
    '/public/../public/x',
    '/public/..',
    '/public/..?x',
    '/public/%00/x',
    '//private',
    '//any.example/private',
    '/\\any.example/private',
    '/./private',
    '/x/../private',
    '/../private',
    '/%70rivate',
    '/%70%72%69%76%61%74%65',
    '/private;a',
    '/private;a/x',
    '/;/private',
    '/private%2fx',
    '/private\\x',
    '/private%3fx',
    '/%2fany.example/private',
    '/.//any.example/private',
    '/public/..%3fx',
    '/privat%65/x?y',
    'http://guarded//private',
    'http://guarded/public/../private',
  ].map(ambiguous),
  ...[
    '/public/x/../y',
    '/public//x',
    '/public/x;y=z',
    '/public/%41%20b%2fc',
    '/public/%252e%252e/private',
    '/public/x?y=/../private;z',
    '/public/...',
    '/x/../y',
    '/x//y',
    '/x%2fy;z',
    '/.well-known/x',
    '/privately/./x',
  ].map(asWritten),
]
