import { nearest, serviceKey } from '@portolan/core'
import { coveringRoutes } from './covered.ts'
import type { SourceDocument } from './document.ts'
import { formatLine, formatPath, type Path, type Problem } from './problem.ts'
import type { Config } from './schema.ts'

/** A warning for each route that no request ever takes, and for each service that only a route names. */
export function routeWarnings(config: Config, document: SourceDocument): readonly Problem[] {
  return [...unreachable(config, document), ...unknownServices(config, document)]
}

const pathOf = (index: number): Path => ['gateway', 'routes', index]

function unreachable({ gateway }: Config, document: SourceDocument): readonly Problem[] {
  const covering = coveringRoutes(gateway.routes.map(({ match }) => match))
  return [...covering].map(([index, by]) => {
    const first = formatLine(document.valueAt(pathOf(by)))
    return {
      ...document.valueAt(pathOf(index)),
      path: formatPath(pathOf(index)),
      message: `no request comes here: the route of ${first} takes all that this one asks for`,
      hint: 'put it before that one, ask for more there, or leave it out',
    }
  })
}

function unknownServices({ gateway, services }: Config, document: SourceDocument): readonly Problem[] {
  const keys = Object.keys(services)
  const warned = new Set<string>()
  const known = new Set(keys)
  const look = (name: { service: string; namespace: string }, path: Path): readonly Problem[] => {
    const key = serviceKey(name)
    if (known.has(key) || warned.has(key)) return []
    warned.add(key)
    const guess = nearest(key, keys)
    const meant = guess === undefined ? '' : `did you mean "${guess}"? `
    return [
      {
        ...document.valueAt(path),
        path: formatPath(path),
        message: `no service of this file is called "${key}": it has no instances but those that register themselves`,
        hint: `${meant}if they do, \`${key}: {}\` under services says so`,
      },
    ]
  }
  return gateway.routes.flatMap(({ service, namespace, split = [] }, index) => [
    ...(service === undefined ? [] : look({ service, namespace }, [...pathOf(index), 'service'])),
    ...split.flatMap((side, at) => look(side, [...pathOf(index), 'split', at, 'service'])),
  ])
}
