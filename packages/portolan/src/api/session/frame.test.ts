import type { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as ws from 'ws'
import { pingFrame, textFrame } from './frame.ts'

// Exported by the library, and missing from its types.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable
}

/** What the library's own receiver makes of our bytes. */
function received(event: 'message' | 'ping', bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const receiver = new Receiver({ isServer: false })
    receiver.on(event, (data: Buffer) => resolve(data.toString()))
    receiver.on('error', reject)
    receiver.end(bytes)
  })
}

describe('frames that are made once', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('carry a text of %d bytes', async length => {
    const text = 'x'.repeat(length)
    expect(await received('message', textFrame(text))).toBe(text)
  })

  it('carry any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async text => {
        expect(await received('message', textFrame(text))).toBe(text)
      }),
    )
  })

  it('ping with the time to the next ping', async () => {
    expect(await received('ping', pingFrame(1250.4))).toBe('1250')
  })
})
