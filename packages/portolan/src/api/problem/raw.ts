import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Fault } from '@portolan/core'
import { problemOf, problemType } from './problem.ts'

function extraHeaders(fault: Fault): Record<string, string> {
  if (fault.code === 'unauthorized') return { 'WWW-Authenticate': 'Bearer realm="portolan"' }
  return fault.code === 'too_many' ? { 'Retry-After': '1' } : {}
}

/** The headers of every answer that is an error. */
export function problemHeaders(fault: Fault): Record<string, string> {
  return {
    'Content-Type': problemType,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...extraHeaders(fault),
  }
}

/** Answers with a problem without a framework's help, and closes the connection: what it carries is unread. */
export function writeProblem(response: ServerResponse, fault: Fault): void {
  const problem = problemOf(fault)
  const body = `${JSON.stringify(problem)}\n`
  const length = { 'Content-Length': Buffer.byteLength(body), Connection: 'close' }
  response.writeHead(problem.status, { ...problemHeaders(fault), ...length })
  response.end(body)
}

/** The same on a bare socket: for upgrades, and for what could not even be parsed. */
export function writeProblemTo(socket: Duplex, fault: Fault, status?: number): void {
  if (!socket.writable) return
  const problem = problemOf(fault)
  const body = `${JSON.stringify({ ...problem, status: status ?? problem.status })}\n`
  const headers = { ...problemHeaders(fault), 'Content-Length': Buffer.byteLength(body), Connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status ?? problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`)
}
