import type { BreakerSettings, ConcurrencyLimiter, LocalBalancer } from '@portolan/core'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type Problem, problemCodes } from './problem.ts'
import type { StayCounts } from './sticky/stay.ts'

/** Upper bounds of the latency histogram, in milliseconds. */
const bounds = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

/** What a service carries at the moment. */
export interface ServiceLoad {
  readonly underWay: number
  readonly pools: {
    readonly pending: number
    readonly open: number
    readonly warmed: number
    readonly breaker: BreakerSettings
  }
}

/** What is counted of one service: plain numbers, since a labelled counter costs a map look-up and a string a request. */
export class ServiceMetrics {
  /** Answers by the status code's first digit. */
  readonly classes = new Float64Array(6)
  readonly buckets = new Float64Array(bounds.length + 1)
  seconds = 0
  retries = 0
  budgetExhausted = 0
  connectErrors = 0
  deadlineExceeded = 0
  panicPicks = 0
  /** Whether picks fail open at the moment. */
  panic = false
  cancelled = 0
  unretried = 0
  /** Answers of instances that can't be passed on, by why. */
  readonly flaws = new Map<string, number>()
  /** Requests beyond a rate limit. */
  limited = 0
  /** Of a service whose clients stay where they were: what became of their cookies. */
  readonly stays: StayCounts = { kept: 0, busy: 0, moved: 0, lost: 0, invalid: 0, new: 0 }
  /** Connections that are tunnels at the moment, and the bytes that went through, to instances (in) and to clients (out). */
  tunnels = 0
  tunnelBytesIn = 0
  tunnelBytesOut = 0
  /** Requests that have waited for a connection, and how long all in all. */
  queued = 0
  queueSeconds = 0
  /** How often each limit of the circuit breaker was met. */
  readonly struck = { connections: 0, pending: 0, requests: 0, queueTimeout: 0 }
  /** Requests turned away because more would only have made all wait longer. */
  shed = 0
  /** How many may be under way, where that is found out. */
  concurrency: Pick<ConcurrencyLimiter, 'limit'> | undefined
  load: ServiceLoad | undefined
  /** This gateway's share of the service's rate limit. */
  rate: { readonly qps: number | undefined } | undefined
  /** Where the service's outliers are counted. */
  balance: Pick<LocalBalancer, 'outliers' | 'ejections' | 'withheld'> | undefined

  answered(status: number, ms: number): void {
    const digit = (status / 100) | 0
    this.classes[digit] = (this.classes[digit] as number) + 1
    let bucket = 0
    while (bucket < bounds.length && ms > (bounds[bucket] as number)) bucket++
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1
    this.seconds += ms / 1000
  }
}

/** Limits that are counted by themselves. */
export type LimitName =
  | 'bodyTime'
  | 'connections'
  | 'connectionsPerClient'
  | 'descriptors'
  | 'firstByte'
  | 'keepAlive'
  | 'memory'
  | 'minRate'
  | 'pipelined'

/** What one gateway counts. Read by prom-client only when somebody asks for `/metrics`. */
export class GatewayMetrics {
  /** Those that are shown. */
  readonly services = new Map<string, ServiceMetrics>()
  /** Of names that may be invented: a stranger is not to fill `/metrics`. */
  readonly #unproven = new Map<string, ServiceMetrics>()
  readonly problems = new Map<string, number>(problemCodes.map(code => [code, 0]))
  /** Answers of instances that can't be passed on, by why. */
  readonly flaws = new Map<string, number>()
  connections = 0
  connectionsRefused = 0
  /** Of these, those that are being told why. */
  leaving = 0
  upstreamConnections = 0
  /** How often limits of the gateway as a whole were met, where no error of its own says so. */
  readonly struck: Record<LimitName, number> = {
    bodyTime: 0,
    connections: 0,
    connectionsPerClient: 0,
    descriptors: 0,
    firstByte: 0,
    keepAlive: 0,
    memory: 0,
    minRate: 0,
    pipelined: 0,
  }

  of(service: string): ServiceMetrics {
    let metrics = this.services.get(service) ?? this.#unproven.get(service)
    if (metrics === undefined) {
      metrics = new ServiceMetrics()
      this.#unproven.set(service, metrics)
    }
    return metrics
  }

  /** There is such a service. */
  show(service: string): void {
    this.services.set(service, this.of(service))
    this.#unproven.delete(service)
  }

  forget(service: string): void {
    this.services.delete(service)
    this.#unproven.delete(service)
  }

  problem({ status, code }: Pick<Problem, 'status' | 'code'>): void {
    if (status < 400) return
    this.problems.set(code, (this.problems.get(code) ?? 0) + 1)
  }
}

type CounterField = {
  [Key in keyof ServiceMetrics]: ServiceMetrics[Key] extends number ? Key : never
}[keyof ServiceMetrics]

const counted = [
  ['portolan_gateway_retries_total', 'retries', 'Requests tried once more on another instance'],
  [
    'portolan_gateway_retry_budget_exhausted_total',
    'budgetExhausted',
    'Retries that the budget did not allow',
  ],
  ['portolan_gateway_connect_errors_total', 'connectErrors', 'Connections to instances that failed'],
  [
    'portolan_gateway_deadline_exceeded_total',
    'deadlineExceeded',
    'Requests that had no answer when their time was over',
  ],
  ['portolan_gateway_panic_picks_total', 'panicPicks', 'Picks among instances that all carry a cause'],
  [
    'portolan_gateway_cancelled_total',
    'cancelled',
    'Requests whose client left before the answer was complete',
  ],
  ['portolan_gateway_shed_total', 'shed', 'Requests turned away by the concurrency limit that a service has'],
  [
    'portolan_gateway_unretried_total',
    'unretried',
    'Requests lost with their instance that must not be repeated',
  ],
  ['portolan_gateway_rate_limited_total', 'limited', 'Requests turned away by a rate limit'],
] as const satisfies readonly (readonly [string, CounterField, string])[]

/** Shows `metrics` in `registry` under `portolan_gateway_…`; docs/metrics.md explains each name. */
export function exportGatewayMetrics(metrics: GatewayMetrics, registry: Registry): void {
  const registers = [registry]
  for (const [name, field, help] of counted) {
    new Counter({
      name,
      help,
      labelNames: ['service'],
      registers,
      collect() {
        this.reset()
        for (const [service, values] of metrics.services) this.inc({ service }, values[field])
      },
    })
  }
  new Counter({
    name: 'portolan_gateway_requests_total',
    help: 'Requests answered, by class of status',
    labelNames: ['service', 'class'],
    registers,
    collect() {
      this.reset()
      for (const [service, { classes }] of metrics.services) {
        classes.forEach((count, digit) => {
          if (count > 0) this.inc({ service, class: `${digit}xx` }, count)
        })
      }
    },
  })
  new Counter({
    name: 'portolan_gateway_errors_total',
    help: 'Answers of the gateway itself, by reason',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      for (const [code, count] of metrics.problems) this.inc({ code }, count)
    },
  })
  new Counter({
    name: 'portolan_gateway_bad_responses_total',
    help: 'Answers of instances that can not be passed on, by why',
    labelNames: ['service', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const [service, { flaws }] of metrics.services) {
        for (const [reason, count] of flaws) this.inc({ service, reason }, count)
      }
    },
  })
  new Gauge({
    name: 'portolan_gateway_panic',
    help: '1 while picks fail open, because every instance of the service carries a cause',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset()
      for (const [service, { panic }] of metrics.services) this.set({ service }, Number(panic))
    },
  })
  new Gauge({
    name: 'portolan_gateway_concurrency_limit',
    help: 'Requests that may be under way, as found out by how long answers take',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset()
      for (const [service, { concurrency }] of metrics.services)
        if (concurrency !== undefined) this.set({ service }, concurrency.limit)
    },
  })
  new Gauge({
    name: 'portolan_gateway_connections',
    help: 'Client connections that are open',
    registers,
    collect() {
      this.set(metrics.connections)
    },
  })
  new Counter({
    name: 'portolan_gateway_connections_refused_total',
    help: 'Client connections closed at once because too many were open',
    registers,
    collect() {
      this.reset()
      this.inc(metrics.connectionsRefused)
    },
  })
  exportTunnels(metrics, registry)
  exportStays(metrics, registry)
  exportOutliers(metrics, registry)
  exportLatency(metrics, registry)
}

function exportTunnels(metrics: GatewayMetrics, registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'portolan_gateway_tunnels',
    help: 'Connections that have become tunnels (WebSocket) and are open',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset()
      for (const [service, { tunnels }] of metrics.services) this.set({ service }, tunnels)
    },
  })
  new Counter({
    name: 'portolan_gateway_tunnel_bytes_total',
    help: 'Bytes through tunnels, to instances (in) and to clients (out)',
    labelNames: ['service', 'direction'],
    registers,
    collect() {
      this.reset()
      for (const [service, { tunnelBytesIn, tunnelBytesOut }] of metrics.services) {
        this.inc({ service, direction: 'in' }, tunnelBytesIn)
        this.inc({ service, direction: 'out' }, tunnelBytesOut)
      }
    },
  })
}

function exportStays(metrics: GatewayMetrics, registry: Registry): void {
  new Counter({
    name: 'portolan_gateway_affinity_total',
    help: 'Answers of instances by what became of the cookie that holds a client to one',
    labelNames: ['service', 'result'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [service, { stays }] of metrics.services) {
        for (const [result, count] of Object.entries(stays)) {
          if (count > 0) this.inc({ service, result }, count)
        }
      }
    },
  })
}

function exportOutliers(metrics: GatewayMetrics, registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'portolan_gateway_outliers',
    help: 'Instances that this gateway does not pick because of what its own requests found',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset()
      for (const [service, { balance }] of metrics.services) this.set({ service }, balance?.outliers ?? 0)
    },
  })
  new Counter({
    name: 'portolan_gateway_ejections_total',
    help: 'Times that an instance became an outlier, by reason',
    labelNames: ['service', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const [service, { balance }] of metrics.services) {
        for (const [reason, count] of Object.entries(balance?.ejections ?? {})) {
          if (count > 0) this.inc({ service, reason }, count)
        }
      }
    },
  })
  new Counter({
    name: 'portolan_gateway_ejections_withheld_total',
    help: 'Times that an instance stood out and stayed, because too few would have been left',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset()
      for (const [service, { balance }] of metrics.services) this.inc({ service }, balance?.withheld ?? 0)
    },
  })
}

/** prom-client's histogram wants to see every observation; ours only shows what was counted elsewhere. */
function exportLatency(metrics: GatewayMetrics, registry: Registry): void {
  const name = 'portolan_gateway_request_seconds'
  const help = 'Time from the end of the request head to the end of the answer'
  const histogram = new Histogram({ name, help, labelNames: ['service'], registers: [registry] })
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum' as const,
    values: [...metrics.services].flatMap(([service, values]) => histogramLines(name, service, values)),
  })
  Object.assign(histogram, { get, getForPromString: get })
}

function histogramLines(name: string, service: string, { buckets, seconds }: ServiceMetrics) {
  let count = 0
  const lines: { metricName: string; labels: Record<string, string | number>; value: number }[] = []
  buckets.forEach((observed, index) => {
    count += observed
    const bound = bounds[index]
    const le = bound === undefined ? '+Inf' : bound / 1000
    lines.push({ metricName: `${name}_bucket`, labels: { service, le }, value: count })
  })
  lines.push({ metricName: `${name}_sum`, labels: { service }, value: seconds })
  lines.push({ metricName: `${name}_count`, labels: { service }, value: count })
  return lines
}
