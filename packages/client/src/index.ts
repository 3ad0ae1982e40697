export { Fault, type Instance, type InstanceSet, type Outcome } from '@portolan/core'
export type { Body } from './balanced/body.ts'
export type { FetchInit } from './balanced/request.ts'
export type { Picked, PickOptions, Service, ServiceOptions } from './balanced/service.ts'
export { connect, openResolver } from './connect.ts'
export type {
  CheckOptions,
  DurationText,
  GrpcCheckOptions,
  HttpCheckOptions,
  TcpCheckOptions,
  TtlCheckOptions,
} from './lease/check.ts'
export type { Lease } from './lease/held-lease.ts'
export type { RegisterOptions } from './lease/registration.ts'
export type { StatusReport } from './lease/reports.ts'
export type { OpenResolver, ResolverOptions } from './open-resolver.ts'
export type { ConnectOptions, Portolan } from './portolan.ts'
export { type SessionResolver, sessionResolver } from './resolver.ts'
export type { TlsOptions } from './session/wire.ts'
