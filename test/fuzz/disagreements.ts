/** A way in which we and Node's parser differ, and why that is well. */
export interface Disagreement {
  readonly about: 'requests' | 'answers'
  readonly what: string
  readonly why: string
}

/** All that are known: docs/http.md shows them, and another one fails the fuzzers. */
export const disagreements: readonly Disagreement[] = [
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_host',
    why: 'Node looks at no Host: none, two, or one that no host is called by. Whom a request is for must not depend on who reads it.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_target',
    why: 'Node takes targets that are neither a path nor an http URL (`x`, `?y`, `ftp://b/`, `http://u@b/`), or with a fragment.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_connection',
    why: '`Connection: content-length` and the like would have a proxy take out what says where a request ends.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_transfer_encoding',
    why: 'Codings other than `chunked` alone: who knows them and who does not would see different bodies.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_content_length',
    why: 'More than 15 digits: they would not be exact any more, leading zeros or not.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_chunk_size',
    why: 'More than 13 digits, leading zeros included: as above.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_line_end',
    why: 'A bare CR before a request: Node skips it.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_method',
    why: 'Several empty lines before a request: Node skips any number, we one (RFC 9112 section 2.2).',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: bad_version',
    why: 'Several spaces before the version: one stands there (RFC 9112 section 3).',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: version_unsupported',
    why: 'Node answers a few other versions (`HTTP/0.9`, `HTTP/2.0`) as if they were 1.1.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: too_many_fields',
    why: 'We take 128 fields, and as many trailers; Node goes by their size alone.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node reads: connect_unsupported',
    why: 'A gateway is no forward proxy.',
  },
  {
    about: 'requests',
    what: 'we refuse, Node waits: bad_method',
    why: 'A stray LF, or several empty lines, where the next request would begin: Node skips them and waits, we take one CRLF (RFC 9112 section 2.2).',
  },
  {
    about: 'requests',
    what: 'we refuse, Node waits: the method PRI',
    why: 'Behind it Node waits for the rest of the preface of HTTP/2, whatever stands there instead.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: HPE_INVALID_METHOD',
    why: 'Node knows a list of methods, in upper case; HTTP has none (RFC 9110 section 9.1). An instance may answer 405.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: the method PRI',
    why: 'It begins the preface of HTTP/2 (`PRI * HTTP/2.0`), which we refuse for its version; with HTTP/1.1 it is a method like any that nobody knows.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: HPE_INVALID_VERSION',
    why: '`HTTP/1.2` to `HTTP/1.9` are read as 1.1 (RFC 9110 section 2.5), and passed on as 1.1.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: HPE_INVALID_CONTENT_LENGTH',
    why: 'Spaces behind a length, and a length among trailers: the one is written anew without, the other is left out.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: HPE_INVALID_TRANSFER_ENCODING',
    why: 'Spaces behind `chunked`: written anew without.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: HPE_CLOSED_CONNECTION',
    why: '`Proxy-Connection: close` means nothing (RFC 9112 appendix C.2.2); Node ends the connection by it.',
  },
  {
    about: 'requests',
    what: 'we pass, Node refuses: HPE_STRICT',
    why: 'Chunk extensions that are malformed, but harmless: they are not passed on.',
  },
  {
    about: 'requests',
    what: 'we go on, Node does not: behind an Upgrade',
    why: 'Behind the head of an Upgrade that it ignores Node reads nothing more, a body neither. We send no second request there.',
  },
  {
    about: 'answers',
    what: 'we pass, Node refuses: HPE_CLOSED_CONNECTION',
    why: '`Connection: close` in a 1xx: the connection ends behind the answer that counts (RFC 9112 section 9.6), which we wait for; Node takes none.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: bad_transfer_encoding',
    why: 'As for requests. Node reads such a body up to the end of the connection.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: bad_line_end',
    why: 'A CR more before the line end of a status line: Node skips it.',
  },
  {
    about: 'answers',
    what: 'we read chunks, Node does not: spaces behind chunked',
    why: 'Spaces around a value are no part of it (RFC 9110 section 5.5). Written anew without, it is read alike by everybody.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: bad_content_length',
    why: 'As for requests.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: bad_connection',
    why: 'As for requests.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: bad_status_line',
    why: 'Statuses below 100 and above 599, control characters in the reason: no client could know what they mean.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: too_many_fields',
    why: 'As for requests.',
  },
  {
    about: 'answers',
    what: 'we refuse, Node reads: switching',
    why: 'A 101 that nobody asked for, and that names no protocol: to Node the last answer, to us none at all.',
  },
  {
    about: 'answers',
    what: 'we pass, Node refuses: bytes behind the answer',
    why: 'The answer is whole and is passed on; the instance’s connection is closed. Node fails the answer, too.',
  },
  {
    about: 'answers',
    what: 'we pass, Node refuses: HPE_INVALID_VERSION',
    why: 'As for requests.',
  },
  {
    about: 'answers',
    what: 'we pass, Node refuses: HPE_INVALID_CONTENT_LENGTH',
    why: 'As for requests.',
  },
  {
    about: 'answers',
    what: 'we pass, Node refuses: HPE_STRICT',
    why: 'As for requests.',
  },
]

const names = new Set(disagreements.map(({ about, what }) => `${about}: ${what}`))

/** @throws Error for a disagreement that nobody has explained yet */
export function known(about: Disagreement['about'], what: string): string {
  if (!names.has(`${about}: ${what}`)) throw new Error(`an unknown disagreement about ${about}: ${what}`)
  return what
}
