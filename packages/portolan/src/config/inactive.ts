import type { SourceDocument } from './document.ts'
import { formatPath, type Path, type Problem } from './problem.ts'
import type { Config, ServiceConfig } from './schema.ts'

/** One warning for each thing that the file may say and this version does not act on: never silence. */
export function inactiveKeys(config: Config, document: SourceDocument): readonly Problem[] {
  const warn = (path: Path, hint: string): Problem => ({
    ...document.keyAt(path),
    path: formatPath(path),
    message: 'accepted, not active in this version',
    hint,
  })
  const services = Object.entries(config.services).flatMap(([name, service]) =>
    inactiveInService(service).map(([steps, hint]) => warn(['services', name, ...steps], hint)),
  )
  const alerts = config.alerts.length > 0 ? [warn(['alerts'], 'no alert is raised yet')] : []
  return [...services, ...alerts]
}

function inactiveInService(service: ServiceConfig): readonly (readonly [path: Path, hint: string])[] {
  const found: (readonly [Path, string])[] = []
  if (service.scaling !== undefined)
    found.push([['scaling'], 'set run.replicas: the number does not change by itself yet'])
  return found
}
