import { metricName } from '@portolan/core'
import type { Finding } from './probe.ts'

const keptBytes = 4096
const maxMetrics = 64

/** The end of what a program has printed, and nothing of what came before it. */
export class Tail {
  #bytes: Buffer = Buffer.alloc(0)

  add(chunk: Buffer): void {
    // A copy: a slice would keep the whole chunk in memory.
    this.#bytes =
      chunk.length >= keptBytes
        ? Buffer.from(chunk.subarray(-keptBytes))
        : Buffer.from(Buffer.concat([this.#bytes, chunk]).subarray(-keptBytes))
  }

  /** As people may read it: whole characters, no control characters but line ends and tabs. */
  get text(): string {
    return lastBytes(readable(wholeCharacters(this.#bytes).toString('utf8')).trimEnd())
  }
}

/** What terminals would obey, and what turns text around: this is shown in terminals. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

function readable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unprintable, char => (/[\n\t]/.test(char) ? char : '�'))
}

function lastBytes(text: string): string {
  if (text.length * 3 <= keptBytes || Buffer.byteLength(text) <= keptBytes) return text
  return wholeCharacters(Buffer.from(text).subarray(-keptBytes)).toString('utf8')
}

/** What was cut may begin within a character: bytes 10xxxxxx go on with one (RFC 3629). */
function wholeCharacters(bytes: Buffer): Buffer {
  let start = 0
  while (start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.subarray(start)
}

const metricLine = /^portolan_metric[ \t]+(\S{1,64})[ \t]+(\S{1,40})[ \t]*$/

/** The lines `portolan_metric NAME VALUE` of an output; of two of one name the later counts. */
export function metricsOf(output: string): Finding['metrics'] {
  const found = new Map<string, number>()
  for (const line of output.split('\n')) {
    const [, name, text] = metricLine.exec(line) ?? []
    const value = Number(text)
    if (name === undefined || !metricName.test(name) || !Number.isFinite(value)) continue
    if (found.has(name) || found.size < maxMetrics) found.set(name, value)
  }
  return found.size === 0 ? undefined : Object.fromEntries(found)
}

/** The line that most likely says what is wrong: the last that is no metric. */
export function tellingLine(output: string): string | undefined {
  const lines = output.split('\n').map(line => line.trim())
  return lines.findLast(line => line !== '' && !metricLine.test(line))
}
