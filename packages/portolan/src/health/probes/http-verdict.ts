import type { HttpCheck, Milliseconds } from '@portolan/core'
import { failing, passing, reasonText } from './findings.ts'
import { type HttpAnswer, maxBody } from './http-answer.ts'
import type { AnswerHead } from './http-head.ts'
import type { Finding } from './probe.ts'

const maxOutput = 4096

/** How much of an answer's body its verdict needs: all that may be looked through, or what people are shown. */
export function bodyWanted(check: HttpCheck, head: AnswerHead): number {
  if (!isExpected(check, head.status)) return maxOutput
  return check.body === undefined ? 0 : maxBody
}

/** `GET /health`, short enough to be the beginning of a reason. */
export function requestLine({ method, path }: HttpCheck): string {
  return `${method} ${path.length > 64 ? `${path.slice(0, 63)}…` : path}`
}

/** What an answer says of the instance: whatever it is, a program gave it, and no kernel. */
export function judgeAnswer(check: HttpCheck, answer: HttpAnswer, latencyMs: Milliseconds): Finding {
  return { ...verdictOf(check, answer, latencyMs), presence: 'spoke' }
}

function verdictOf(check: HttpCheck, answer: HttpAnswer, latencyMs: Milliseconds): Finding {
  const { head, body, cut, excess } = answer
  const line = requestLine(check)
  const { status, location } = head
  if (!isExpected(check, status)) {
    const where =
      status >= 300 && status < 400 && location !== undefined
        ? `, a redirect to ${location} (not followed)`
        : ''
    return withOutput(failing(`${line} answered ${status}${where}`, latencyMs), body)
  }
  if (check.body !== undefined && !body.includes(check.body)) {
    const within = cut ? ` in the first ${maxBody / 1024} KiB of its body` : ' in its body'
    const reason = `${line} answered ${status} without ${JSON.stringify(check.body.slice(0, 64))}${within}`
    return withOutput(failing(reason, latencyMs), body)
  }
  if (excess > 0) {
    const reason = reasonText(`${line} answered ${status}, and then ${excess} bytes more than it announced`)
    return { status: 'warning', presence: 'answered', reason, latencyMs }
  }
  return passing(latencyMs)
}

function isExpected({ statuses }: HttpCheck, status: number): boolean {
  return statuses.some(([from, to]) => status >= from && status <= to)
}

function withOutput(finding: Finding, body: Buffer): Finding {
  if (body.length === 0) return finding
  return { ...finding, output: body.toString('utf8', 0, maxOutput) }
}
