import { resolve } from 'node:path'
import { Fault } from '@portolan/core'
import { type LoadedConfig, readText } from './load.ts'
import { formatLine } from './problem.ts'

/** Fewer characters can be guessed. */
const shortest = 32
const most = 4

/**
 * The secrets of the file that `gateway.affinitySecret` names, one a line, the one that signs first; `undefined`: the
 * configuration names none.
 * @throws Fault `config_invalid`
 */
export async function readAffinitySecrets({
  config,
  folder,
  position,
}: LoadedConfig): Promise<readonly Uint8Array[] | undefined> {
  const named = config.gateway.affinitySecret
  if (named === undefined) return undefined
  const file = resolve(folder, named)
  const lines = (await readText(file))
    .split(/\r?\n/)
    .flatMap(line => (line.trim() === '' ? [] : [line.trim()]))
  const flaw = flawOf(lines)
  if (flaw === undefined) return lines.map(line => Buffer.from(line))
  const place = position(['gateway', 'affinitySecret'])
  const where = place === undefined ? '' : `${formatLine(place)}: `
  throw new Fault('config_invalid', `${where}gateway.affinitySecret: ${flaw} in ${file}`, {
    source: 'caller',
    hint: 'make one with `openssl rand -base64 33`',
  })
}

function flawOf(lines: readonly string[]): string | undefined {
  if (lines.length === 0) return 'there is no secret'
  if (lines.length > most) return `there are more than ${most} secrets`
  const short = lines.findIndex(line => line.length < shortest)
  return short < 0 ? undefined : `secret ${short + 1} has fewer than ${shortest} characters`
}
