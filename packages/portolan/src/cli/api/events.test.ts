import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvents, type ServerEvent } from './events.ts'

async function* inChunks(text: string, size: number): AsyncIterable<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string, size = 1 << 20): Promise<ServerEvent[]> {
  const events: ServerEvent[] = []
  for await (const event of readEvents(inChunks(text, size))) events.push(event)
  return events
}

describe('event streams', () => {
  it('reads events, ids and comments', async () => {
    const text =
      'retry: 1000\n\n: hello\nid: e.1\nevent: put\ndata: {"a":1}\n\ndata:x\ndata: y\n\nevent: cut off\ndata: z\n'
    expect(await read(text)).toEqual([
      { event: 'put', data: '{"a":1}', id: 'e.1' },
      { event: 'message', data: 'x\ny', id: 'e.1' },
    ])
  })

  it('reads the same however the stream is cut, in the middle of signs and of line ends too', async () => {
    const data = fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => text.replaceAll(/[\r\n]/g, ''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(data, { maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 7 }),
        async (all, end, size) => {
          const text = all.map(one => `event: put${end}data: ${one}${end}${end}`).join('')
          const events = await read(text, size)
          expect(events.map(event => event.data)).toEqual(all)
          expect(events).toEqual(await read(text))
        },
      ),
    )
  })
})
