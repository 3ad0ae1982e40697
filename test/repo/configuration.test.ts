import { describe, expect, it } from 'vitest'
import { readConfig } from '../../packages/portolan/src/config/load.ts'
import { nextStartKeys } from '../../packages/portolan/src/config/next-start.ts'
import {
  configJsonSchema,
  referenceRows,
  withReference,
} from '../../packages/portolan/src/config/reference.ts'
import { readText, root } from './sources.ts'

// Both files are made new by `npx vitest run --project unit test/repo/configuration.test.ts -u`.
describe('the configuration, as documented', () => {
  it('has a JSON Schema that is current', async () => {
    const schema = `${JSON.stringify(configJsonSchema(), null, 2)}\n`
    await expect(schema).toMatchFileSnapshot(`${root}/docs/portolan.schema.json`)
  })

  it('has every key in docs/configuration.md, and none that is gone', async () => {
    const page = readText('docs/configuration.md')
    await expect(withReference(page)).toMatchFileSnapshot(`${root}/docs/configuration.md`)
    expect(referenceRows().length).toBeGreaterThan(40)
    expect(referenceRows().filter(({ meaning }) => meaning === '')).toEqual([])
  })

  it('names the keys that take effect at the next start, as the code has them', () => {
    const [, sentence = ''] =
      /; those of ([\s\S]*?) at the next start/.exec(readText('docs/configuration.md')) ?? []
    expect([...sentence.matchAll(/`([^`]+)`/g)].map(([, key]) => key)).toEqual(nextStartKeys)
  })

  it.each(['docs/configuration.md', 'docs/gateway.md'])('shows only YAML that loads: %s', page => {
    const blocks = [...readText(page).matchAll(/```yaml\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
    expect(blocks.length).toBeGreaterThan(1)
    for (const block of blocks) expect(readConfig(block, page)).toMatchObject({ ok: true })
  })
})
