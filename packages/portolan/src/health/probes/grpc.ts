import type { GrpcCheck, Instance } from '@portolan/core'
import { aimAt } from './aim.ts'
import { GrpcConnection } from './grpc-connection.ts'
import { keepingProbe } from './keeping-probe.ts'
import { type Plan, tlsPlan } from './plan.ts'
import type { Probe } from './probe.ts'
import { secureContext } from './secure-context.ts'

export interface GrpcProbeOptions {
  /** A connection that was kept for the next probe has been closed by the other side: perhaps the instance is gone. */
  readonly lost?: (instance: Instance, check: GrpcCheck) => void
  /** Who may sign instances' certificates, PEM. Default: those whom Node.js trusts. */
  readonly ca?: string
}

/**
 * Calls `grpc.health.v1.Health/Check`. Over `node:http2`: a gRPC channel would connect again by itself and after pauses of
 * its own, where a probe has to say at once that it was refused.
 */
export function grpcProbe({ lost, ca }: GrpcProbeOptions = {}): Probe<GrpcCheck> {
  const context = secureContext(ca)
  return keepingProbe<GrpcCheck>({
    plan: planGrpc,
    open: (host, plan, idleLost) => new GrpcConnection(host, plan, context, idleLost),
    ...(lost !== undefined && { lost }),
  })
}

function planGrpc(instance: Instance, check: GrpcCheck): Plan<GrpcCheck> | string {
  const aim = aimAt(instance, check.port, 'grpc')
  if (typeof aim === 'string') return aim
  const { addresses, port } = aim
  const tls = (check.tls ?? aim.tls) ? tlsPlan(instance, check.verify !== false) : undefined
  return { check, instance, addresses, port, tls }
}
