import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { commandOf } from './checks.ts'
import type { SourceDocument } from './document.ts'
import { formatPath, type Path, type Problem } from './problem.ts'
import type { Config } from './schema.ts'

/**
 * A warning for each check whose program cannot be run as things are. No mistake of the file: what is missing now may
 * be there when the check runs, and until then it is a cause of each instance.
 */
export function scriptWarnings(config: Config, folder: string, document: SourceDocument): readonly Problem[] {
  return Object.entries(config.services).flatMap(([service, { healthChecks = [] }]) =>
    healthChecks.flatMap((check, index) => {
      if (check.type !== 'script') return []
      const [program] = commandOf(check, folder)
      const [message, hint] = flawOf(program) ?? []
      if (message === undefined || hint === undefined) return []
      const key = check.script === undefined ? 'command' : 'script'
      const path: Path = ['services', service, 'healthChecks', index, key]
      return [{ ...document.valueAt(path), path: formatPath(path), message, hint }]
    }),
  )
}

function flawOf(program: string): readonly [message: string, hint: string] | undefined {
  if (!isAbsolute(program)) return [`no program "${program}" on the PATH`, 'name it by its whole path']
  try {
    if (!statSync(program).isFile()) return [`${program} is no file`, 'name the program itself']
    accessSync(program, constants.X_OK)
    return undefined
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return [`there is no ${program}`, 'until there is, the check fails, and its instances get no traffic']
    return [
      `this user may not execute ${program}`,
      `mend it with chmod +x ${program}, and look at its folder`,
    ]
  }
}
