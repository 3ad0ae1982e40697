import { describe, expect, it } from 'vitest'
import { filters } from '../../packages/portolan/src/proxy/filters/filters.ts'
import { readText } from './sources.ts'

describe('the filters, as documented', () => {
  it('stand in docs/gateway.md in their order, with the same reasons', () => {
    const section = /^## Filters\n([\s\S]*?)^## /m.exec(readText('docs/gateway.md'))?.[1] ?? ''
    const rows = [...section.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm)]
    expect(rows.map(([, name, , why]) => ({ name, why }))).toEqual(
      filters.map(({ name, why }) => ({ name, why })),
    )
    for (const [, , what] of rows) expect(what?.trim()).not.toBe('')
  })
})
