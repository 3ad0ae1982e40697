import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { commandOf } from './checks.ts'
import type { SourceDocument } from './document.ts'
import { interpreterOf } from './interpreter.ts'
import { formatPath, type Path, type Problem } from './problem.ts'
import { type CheckSettings, healthCheck } from './sections/health-checks.ts'

/**
 * A warning for each check whose program cannot be run as things are. No mistake of the file: what is missing now may
 * be there when the check runs, and until then it is a cause of each instance. Reads what the file holds as it is, so
 * that a mistake elsewhere in it hides no warning; checks that are wrong themselves are passed over.
 */
export function scriptWarnings(folder: string, document: SourceDocument): readonly Problem[] {
  const { services } = mapOf(document.value)
  return Object.entries(mapOf(services)).flatMap(([service, settings]) => {
    const { healthChecks } = mapOf(settings)
    if (!Array.isArray(healthChecks)) return []
    return healthChecks.slice(0, mostLookedAt).flatMap((written: unknown, index) => {
      const { data } = healthCheck.safeParse(written)
      return data === undefined
        ? []
        : warningsOf(data, folder, document, ['services', service, 'healthChecks', index])
    })
  })
}

const mostLookedAt = 100

function warningsOf(
  check: CheckSettings,
  folder: string,
  document: SourceDocument,
  at: Path,
): readonly Problem[] {
  if (check.type !== 'script') return []
  const [program] = commandOf(check, folder)
  const [message, hint] = flawOf(program) ?? []
  if (message === undefined || hint === undefined) return []
  const path: Path = [...at, check.script === undefined ? 'command' : 'script']
  return [{ ...document.valueAt(path), path: formatPath(path), message, hint }]
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function interpreterFlaw(program: string): readonly [message: string, hint: string] | undefined {
  const interpreter = interpreterOf(program)
  if (interpreter === undefined || existsSync(interpreter)) return undefined
  const hint = interpreter.endsWith('\r')
    ? 'it has Windows line ends: convert them (dos2unix)'
    : 'mend its first line, or install it'
  return [`${program} wants the interpreter ${interpreter.trim().slice(0, 80)}, which is not there`, hint]
}

function flawOf(program: string): readonly [message: string, hint: string] | undefined {
  if (!isAbsolute(program)) return [`no program "${program}" on the PATH`, 'name it by its whole path']
  try {
    if (!statSync(program).isFile()) return [`${program} is no file`, 'name the program itself']
    accessSync(program, constants.X_OK)
    return interpreterFlaw(program)
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return [
        `there is no ${program}`,
        'until there is, the check fails for all of them, and they get traffic only because all have causes',
      ]
    return [
      `this user may not execute ${program}`,
      `mend it with chmod +x ${program}, and look at its folder`,
    ]
  }
}
