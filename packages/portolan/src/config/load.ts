import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Fault } from '@portolan/core'
import { affinityWarnings } from './affinity.ts'
import { balancerWarnings } from './balancers.ts'
import { complaints, wording } from './complain.ts'
import { readDocument, type SourceDocument } from './document.ts'
import { inactiveKeys } from './inactive.ts'
import { formatProblem, inFileOrder, type Path, type Position, type Problem } from './problem.ts'
import { configJsonSchema } from './reference.ts'
import { routeWarnings } from './route-warnings.ts'
import { type Config, configSchema } from './schema.ts'
import { scriptWarnings } from './scripts.ts'

/** A configuration that holds, and where it came from. Frozen to its depth. */
export interface LoadedConfig {
  readonly config: Config
  /** The file's name as it was given; `undefined` when there is none and the defaults hold. */
  readonly file: string | undefined
  /** The folder that relative paths in it start from, absolute. */
  readonly folder: string
  /** What was accepted and does not act, or not as it looks, or cannot yet, in the file's order. */
  readonly warnings: readonly Problem[]
  /** Where the file names `path`, as `position(['services', 'cart'])`; `undefined` when it does not. */
  position(path: Path): Position | undefined
}

export type ConfigReading =
  | { readonly ok: true; readonly loaded: LoadedConfig }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }

/** Reads a configuration from its text; `file` is what problems name and what relative paths start from. */
export function readConfig(text: string, file: string): ConfigReading {
  const document = readDocument(text, file)
  if (document.problems.length > 0)
    return { ok: false, problems: inFileOrder(document.problems), warnings: [] }
  const parsed = configSchema.safeParse(document.value ?? {}, {
    error: wording,
  })
  if (!parsed.success) {
    const found = complaints(parsed.error.issues, document, configJsonSchema())
    const warnings = inFileOrder(scriptWarnings(dirname(resolve(file)), document))
    return { ok: false, problems: inFileOrder(found), warnings }
  }
  return { ok: true, loaded: loaded(parsed.data, file, document) }
}

function loaded(config: Config, file: string, document: SourceDocument): LoadedConfig {
  const folder = dirname(resolve(file))
  return {
    config: frozen(config),
    file,
    folder,
    warnings: inFileOrder([
      ...inactiveKeys(config, document),
      ...balancerWarnings(config, document),
      ...affinityWarnings(config, folder, document),
      ...routeWarnings(config, document),
      ...scriptWarnings(folder, document),
    ]),
    position: path => (document.has(path) ? document.keyAt(path) : undefined),
  }
}

/** What holds without a file: relative paths start from `folder`. */
export function defaultConfig(folder: string): LoadedConfig {
  const config = frozen(configSchema.parse({}))
  return {
    config,
    file: undefined,
    folder,
    warnings: [],
    position: () => undefined,
  }
}

/**
 * Reads and checks a whole file, and says all that is wrong with it at once.
 * @throws Fault `config_invalid`: unreadable, or its problems, one a line
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const reading = readConfig(await readText(file), file)
  if (reading.ok) return reading.loaded
  throw problemsFault(reading.problems)
}

/** The problems of a file as one error. */
function problemsFault(problems: readonly Problem[]): Fault {
  const shown = problems.map(formatProblem).join('\n')
  const count = problems.length === 1 ? 'is one problem' : `are ${problems.length} problems`
  return new Fault('config_invalid', `there ${count} in the configuration\n${shown}`, { source: 'caller' })
}

const fileFaults: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: [
    'there is no such file',
    'name one that is there; `portolan up` without a file starts with defaults',
  ],
  EACCES: ['this user may not read it', 'give it read permission, or run as its owner'],
  EISDIR: ['it is a directory', 'name the file in it: portolan.yaml'],
}

/** @throws Fault `config_invalid` */
export async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
    const [what, hint] = fileFaults[code] ?? [
      thrown instanceof Error ? thrown.message : String(thrown),
      undefined,
    ]
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new Fault('config_invalid', `${file}: it is not UTF-8 text`, {
        source: 'caller',
        cause: thrown,
      })
    }
    const details = { source: 'caller', cause: thrown } as const
    throw new Fault('config_invalid', `${file}: ${what}`, hint === undefined ? details : { ...details, hint })
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const held of Object.values(value)) frozen(held)
  return Object.freeze(value)
}
