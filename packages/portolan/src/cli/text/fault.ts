import type { Fault } from '@portolan/core'
import { paint } from './colour.ts'
import { printable } from './instance.ts'

/** An error for people: what is wrong, its code, and how to mend it. */
export function formatFault(fault: Fault, colours: boolean): string {
  const message = fault.message.split('\n').map(printable).join('\n')
  const hint = fault.hint === undefined ? '' : `  ${printable(fault.hint)}\n`
  return `${paint(colours, 'red', 'error:')} ${message} [${fault.code}]\n${hint}`
}

/** The same for programs: one line. */
export function faultJson(fault: Fault): string {
  const { code, message, hint, retryable } = fault
  return `${JSON.stringify({ error: { code, message, hint, retryable } })}\n`
}
