import type { RegisterRequest } from '../registry/registry.ts'
import type { Health } from './health.ts'

/** The registration of an instance that gets no traffic until it has passed, where anything will test it. */
export function toBeTested(
  health: Pick<Health, 'startingReason'> | undefined,
  request: RegisterRequest,
): RegisterRequest {
  const starting = health?.startingReason(request.registration, request.checks, request.tether)
  return starting === undefined ? request : { ...request, starting }
}
