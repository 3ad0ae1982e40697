import { createReadStream } from 'node:fs'
import { basename, resolve } from 'node:path'
import { highestOf, lengthOf, readTrace } from '../../simulate/trace.ts'
import type { Replay } from '../../simulate/traced.ts'
import { flagOption, type Invocation, type Io, numberOption, textOption, usage } from '../command.ts'
import { only } from './only-one.ts'

const longestMs = 6 * 3_600_000
const largestMb = 64
/** Of what all servers can serve: where a trace's highest value lies. */
const usualPeak = 0.85

/**
 * The trace that was asked for, and how to play it; undefined = none was.
 * @throws Fault `invalid_request`
 */
export async function replayOf(invocation: Invocation, io: Io): Promise<Replay | undefined> {
  const file = only(invocation, 'trace')
  const isPerRequest = flagOption(invocation, 'perRequest')
  if (file === undefined) {
    const idle = [
      ['--per-request', isPerRequest],
      ['--speed', textOption(invocation, 'speed') !== undefined],
      ['--peak', textOption(invocation, 'peak') !== undefined],
    ].find(([, isGiven]) => isGiven)
    if (idle !== undefined) throw usage(`${idle[0]} works with --trace only`, 'name a trace, too')
    return undefined
  }
  const speed = numberOption(invocation, 'speed', [0.001, 1_000_000]) ?? 1
  const peak = numberOption(invocation, 'peak', [0.01, 10])
  if (isPerRequest && peak !== undefined)
    throw usage(
      '--peak and --per-request exclude each other',
      'where each line is one request, no value counts',
    )
  const samples = readTrace(await textOf(file, io), file)
  if (!isPerRequest && highestOf(samples) === 0) {
    throw usage(
      `--trace ${file}: no value before its last line is above 0, so that no request comes`,
      'values are requests, or whatever rises and falls with them; with --per-request each line is one request',
    )
  }
  const endMs = lengthOf(samples) / speed
  if (endMs > longestMs) {
    throw usage(
      `--trace ${file}: ${(endMs / 3_600_000).toFixed(1)} h of it are more than 6`,
      `let it pass faster: --speed ${Math.ceil((speed * endMs) / longestMs)} or more`,
    )
  }
  return { samples, name: basename(file), speed, peak: isPerRequest ? undefined : (peak ?? usualPeak) }
}

const faults: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ['there is no such file', 'name one that is there'],
  EACCES: ['this user may not read it', 'give it read permission, or run as its owner'],
  EISDIR: ['it is a directory', 'name the file in it'],
  ERR_ENCODING_INVALID_ENCODED_DATA: ['it is not UTF-8 text', 'save it as UTF-8'],
}

async function textOf(file: string, { cwd, signal }: Io): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of createReadStream(resolve(cwd, file), { signal })) {
      chunks.push(chunk)
      size += chunk.length
      if (size > largestMb * 1_000_000) break
    }
    if (size <= largestMb * 1_000_000)
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
    const [what, hint] = faults[code] ?? [thrown instanceof Error ? thrown.message : String(thrown)]
    throw usage(`--trace ${file}: ${what}`, hint)
  }
  throw usage(
    `--trace ${file}: it is larger than ${largestMb} MB`,
    'name a shorter part of it, or thin it out',
  )
}
