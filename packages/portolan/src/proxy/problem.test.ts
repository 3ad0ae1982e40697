import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { problemCodes, problemResponse, problems } from './problem.ts'

const page = readFileSync(new URL('../../../../docs/gateway.md', import.meta.url), 'utf8')

const date = 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n'

describe("the gateway's own answers", () => {
  it('are all explained in docs/gateway.md, and none that is gone', () => {
    const explained = [...page.matchAll(/^\| `([a-z_]+)` \| \d{3} \|/gm)].map(match => match[1])
    expect(explained).toEqual([...problemCodes].sort())
  })

  it('are whole HTTP messages', () => {
    const [head = '', body = ''] = problemResponse(problems.noInstance, date, true, true).split('\r\n\r\n')
    expect(head).toContain(`Content-Length: ${body.length}`)
    expect(head).toContain('Connection: close')
    expect(head).toContain(date)
    expect(JSON.parse(body)).toEqual(problems.noInstance)
    expect(problemResponse(problems.noInstance, date, false, false)).toMatch(
      /Portolan-Error: [\s\S]*\r\n\r\n$/,
    )
  })
})
