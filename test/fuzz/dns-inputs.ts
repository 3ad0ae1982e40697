import type { Random } from '@portolan/core'

function among<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}

const labels = [
  'order',
  'Order',
  'PORTOLAN',
  'portolan',
  '_http',
  '_tcp',
  'instance',
  'a',
  'a.b',
  '\\',
  '\0',
  '\xff',
  'x'.repeat(63),
]

function nameOf(random: Random, pointing = 0.3): Buffer {
  const count = random() < 0.02 ? 120 : Math.floor(random() * 5)
  const parts = Array.from({ length: count }, () => among(random, labels))
  return Buffer.concat([
    ...parts.map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    hex(random() < pointing ? among(random, ['c00c', 'c00d', 'c002']) : '00'),
  ])
}

function questionOf(random: Random): Buffer {
  const kind = uint16(among(random, [1, 28, 33, 16, 12, 6, 255, 251, 65, Math.floor(random() * 65_536)]))
  return Buffer.concat([
    nameOf(random, 0.03),
    kind,
    uint16(random() < 0.9 ? 1 : among(random, [3, 255, 0x8001, 0])),
  ])
}

/** Options of an OPT record: cookies of all lengths, and those that dns-packet looks into. */
function optionOf(random: Random): Buffer {
  const code = among(random, [10, 10, 10, 3, 8, 11, 12, 14, 65_001])
  const length = among(random, [8, 16, 24, 40, 0, 2, 4, 7, 8, 9, 41])
  const data = code === 8 ? hex('0001 18 00 c00002') : Buffer.alloc(length, Math.floor(random() * 256))
  return Buffer.concat([uint16(code), uint16(data.length), data])
}

function recordOf(random: Random): Buffer {
  const dice = random()
  if (dice < 0.7) {
    const options = Buffer.concat(Array.from({ length: Math.floor(random() * 3) }, () => optionOf(random)))
    const size = uint16(among(random, [0, 511, 512, 1232, 4096, 65_535]))
    const ttl = among(random, ['00000000', '00008000', '00010000', '0000ffff', '17000000'])
    return Buffer.concat([hex('00 0029'), size, hex(ttl), uint16(options.length), options])
  }
  const fixed = among(random, [
    '0001 0001 00000001 0004 7f000001',
    '0010 0001 00000001 0002 0161',
    '0006 0001 00000000 0016 00 00 00000001 00000002 00000003 00000004 00000005',
    '00fa 00ff 00000000 0003 aabbcc',
    '0021 0001 00000000 0008 0001 0002 0003 c00c',
    '0005 0001 00000000 0002 c00c',
    'ffff 0001 00000000 0000',
  ])
  return Buffer.concat([random() < 0.6 ? hex('c00c') : nameOf(random), hex(fixed)])
}

function built(random: Random): Buffer {
  const many = (most: number): number => (random() < 0.8 ? 0 : Math.floor(random() * most))
  const counts = [random() < 0.95 ? 1 : Math.floor(random() * 3), many(2), many(3)]
  const additional = random() < 0.25 ? 0 : random() < 0.8 ? 1 : Math.floor(random() * 4)
  const flags = among(random, [0x0100, 0x0100, 0x0110, 0x0120, 0x0000, 0x2800, 0x8180])
  const [questions = 0, ...records] = counts
  const count = records.reduce((sum, records) => sum + records, additional)
  return Buffer.concat([
    uint16(Math.floor(random() * 65_536)),
    uint16(random() < 0.95 ? flags : Math.floor(random() * 65_536)),
    ...counts.map(uint16),
    uint16(additional),
    ...Array.from({ length: questions }, () => questionOf(random)),
    ...Array.from({ length: count }, () => recordOf(random)),
  ])
}

const pieces = [
  '00',
  'c00c',
  'c000',
  'ff',
  '3f',
  '40',
  '80',
  '0161',
  '00002904d0000000000000',
  '000a0008',
  '0001',
]

/** A query, most of which are nearly fine: bytes put in, taken out, said twice or changed, the end cut off or gone on with. */
export function queryOf(random: Random): Buffer {
  let bytes = built(random)
  for (let left = Math.floor(random() * 3); left > 0; left--) {
    const at = Math.floor(random() * (bytes.length + 1))
    const to = Math.min(bytes.length, at + 1 + Math.floor(random() ** 3 * 30))
    const [before, span, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
    const dice = random()
    if (dice < 0.25) bytes = Buffer.concat([before, hex(among(random, pieces)), span, after])
    else if (dice < 0.4) bytes = Buffer.concat([before, after])
    else if (dice < 0.5) bytes = Buffer.concat([before, span, span, after])
    else if (dice < 0.8) {
      const byte = Buffer.from([Math.floor(random() * 256)])
      bytes = Buffer.concat([before, byte, bytes.subarray(at + 1)])
    } else if (dice < 0.9) bytes = Buffer.from(before)
    else bytes = Buffer.concat([bytes, built(random).subarray(at)])
  }
  return bytes
}
