export {
  formatHostPort,
  type HostPort,
  type HostPortOptions,
  isPort,
  parseHostPort,
} from './address/host-port.ts'
export {
  canonicalIp,
  formatIp,
  type IpAddress,
  type Ipv4Address,
  type Ipv6Address,
  mappedIpv4,
  parseIp,
  parseIpv4,
  parseIpv6,
} from './address/ip.ts'
export { contains, type Network, parseNetwork } from './address/network.ts'
export { type Race, race } from './address/race.ts'
export { isLinkLocal, isLoopback, isNobodys, isUnspecified } from './address/scope.ts'
export { type AdaptiveOptions, adaptive } from './balance/adaptive/adaptive.ts'
export { Balancer } from './balance/balancer.ts'
export {
  type BalanceSettings,
  type Caller,
  composedPolicy,
  type Spreading,
} from './balance/composed.ts'
export { type Dice, diceFrom } from './balance/drawing/dice.ts'
export { Lots } from './balance/drawing/lots.ts'
export { type Eligible, eligible } from './balance/eligible.ts'
export { type LevelShare, levelShares } from './balance/failover/failover.ts'
export { type LeastRequestOptions, leastRequest } from './balance/least-request/least-request.ts'
export type { Endpoint, Outcome, PickContext, Picker, Policy } from './balance/picker.ts'
export {
  defaultPolicy,
  isPolicyName,
  type PolicyName,
  policies,
  policyByName,
  policyNames,
} from './balance/policies.ts'
export { randomChoice } from './balance/random/random.ts'
export { roundRobin } from './balance/round-robin/round-robin.ts'
export { slowStartDefaultMs } from './balance/slow-start/slow-start.ts'
export type { EjectionReason, Tally, Trouble } from './balance/tally.ts'
export { type BreakerSettings, breakerDefaults } from './breaker/settings.ts'
export { ConcurrencyLimiter, type ConcurrencySettings, concurrencyDefaults } from './concurrency/limiter.ts'
export type { ConcurrencyLimitSettings } from './concurrency/settings.ts'
export { Fault, type FaultCode, type FaultDetails, type FaultSource, toFault } from './fault/fault.ts'
export {
  allowedPerSecond,
  type BudgetRules,
  type Business,
  budgetRules,
  noStretch,
  type Stretch,
  stretchedInterval,
  stretchFor,
  type Wanted,
} from './health/budget.ts'
export {
  type Check,
  type CheckStatus,
  type CheckType,
  checkTypes,
  type Degradation,
  type GrpcCheck,
  type HttpCheck,
  metricName,
  type ScriptCheck,
  type TcpCheck,
  type TtlCheck,
} from './health/check.ts'
export {
  type DampingRules,
  dampingRules,
  forgiven,
  heldUntil,
  isHeld,
  noPenalty,
  type Penalty,
  penalised,
  penaltyAt,
} from './health/damping.ts'
export { checkDefaults, type HealthRules, healthRules, shortestIntervalMs } from './health/defaults.ts'
export {
  beginCheck,
  type CheckPhase,
  type CheckResult,
  type CheckState,
  type CheckStep,
  found,
  suspected,
} from './health/machine.ts'
export { degradedBy, noWear, type Wear, type WearFinding, worn } from './health/wear.ts'
export { type Cause, type CauseKind, causeKinds, withCause, withoutCause } from './instance/cause.ts'
export { type Cursor, covers, formatCursor, parseCursor } from './instance/cursor.ts'
export {
  type Degraded,
  defaultNamespace,
  httpPort,
  type Instance,
  type InstanceName,
  isDraining,
  isHealthy,
  type Port,
  type PortProtocol,
  parseServiceKey,
  portProtocols,
  type Registration,
  type ServiceName,
  serviceKey,
} from './instance/instance.ts'
export { emptySet, type InstanceSet, orderedById } from './instance/instance-set.ts'
export { checkPriority, isPriority, priorityOf } from './instance/priority.ts'
export { checkWeight, defaultWeight, isWeight, maxWeight, minWeight } from './instance/weight.ts'
export { editDistance, nearest, suggestion } from './naming/nearest.ts'
export { LocalBalancer, type LocalBalancerParts } from './outlier/local-balancer.ts'
export { type OutlierSettings, outlierDefaults } from './outlier/settings.ts'
export { isFailure, isPushback, troubleOfConnecting } from './outlier/trouble.ts'
export type { ProbeResult, Prober } from './probe/prober.ts'
export { Dealer, type Dealt } from './rate/dealer.ts'
export { KeyedBuckets } from './rate/keyed-buckets.ts'
export type { RateDemand, RateLimit, RateLimitSettings, RateShare } from './rate/limit.ts'
export { SharedBucket, sharedTickMs } from './rate/shared-bucket.ts'
export { TokenBucket } from './rate/token-bucket.ts'
export { RetryBudget, type RetryBudgetOptions } from './retry/budget.ts'
export {
  type RetryBudgetSettings,
  type RetrySettings,
  type RetryTrouble,
  retryTroubles,
} from './retry/settings.ts'
export type { AccessLogSettings } from './session/access-log.ts'
export type { AffinitySettings } from './session/affinity.ts'
export type { AuthSettings } from './session/auth.ts'
export { type GatewayLimits, limitDefaults } from './session/limits.ts'
export {
  type ClientMessage,
  comparedAtOnce,
  type Departure,
  type DepartureReason,
  type HeldView,
  type InstanceOutcomes,
  protocolVersion,
  type RegistrationMessage,
  type Route,
  type RouteTable,
  type ServerMessage,
} from './session/messages.ts'
export type { Redirect, Rewrite, RouteMatch, WeightedService } from './session/route.ts'
export type { TracingSettings } from './session/tracing.ts'
export { type Side, Split } from './split/split.ts'
export { type Clock, type Milliseconds, type Random, seededRandom } from './time/clock.ts'
export { formatDuration, parseDuration } from './time/duration.ts'
export { formatTraceparent, isTracestate, parseTraceparent, type TraceParent } from './trace/trace-context.ts'
export type { Catalogue } from './view/catalogue.ts'
export { type Leaving, planLeaving } from './view/leaving.ts'
export {
  type OutcomeReport,
  type PickingSubscriber,
  type RateClaim,
  type RateClaimant,
  type Resolver,
  receiverOf,
  type Unsubscribe,
  type View,
} from './view/resolver.ts'
export {
  compareServices,
  orderedServices,
  patchedServices,
  type ServiceChanges,
  serviceChanges,
} from './view/service-list.ts'
export {
  applyLeaves,
  applyMessage,
  confirmedCount,
  type DeltaMessage,
  markFresh,
  markStale,
  nextLeave,
  type ServiceView,
  type SnapshotMessage,
  unknownView,
} from './view/service-view.ts'
