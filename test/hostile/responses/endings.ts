import { halfClose, idle, passed, pause, type ResponseCase, reset, untilClose } from '../case.ts'

const five = (status: string, more = '') => `HTTP/1.1 ${status}\r\n${more}Content-Length: 5\r\n\r\nhello`
const whole = { request: 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello' }

/** Answers to requests with bodies, and connections that end with them. */
export const endings: readonly ResponseCase[] = [
  passed('an answer to a body', five('200 OK'), ['200 hello'], { ...whole, reused: true }),
  passed('an answer, and the end', [five('200 OK'), halfClose], ['200 hello'], { again: true }),
  passed('an answer, and a reset later', [five('200 OK'), idle, reset, pause], ['200 hello'], {
    reused: true,
  }),
  passed('an answer to a body, and the end', [five('413 Content Too Large'), halfClose], ['413 hello'], {
    ...whole,
    again: true,
  }),
  passed(
    'an answer to a body that closes, and does',
    [five('413 Content Too Large', 'Connection: close\r\n'), halfClose],
    ['413 hello'],
    whole,
  ),
  passed(
    'an answer to a body with a second one behind it',
    five('200 OK') + five('200 OK'),
    ['200 hello'],
    whole,
  ),
  untilClose(
    'an answer to a body that ends with the connection',
    ['HTTP/1.1 500 Oops\r\n\r\nhello', pause, halfClose],
    '500 hello',
    whole,
  ),
]
