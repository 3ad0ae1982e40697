import { Counter, Gauge, type Registry } from 'prom-client'
import type { ServiceMetrics } from '../metrics.ts'

type Services = ReadonlyMap<string, ServiceMetrics>

/** Shows what services carry, what their circuit breakers allow, and how often those struck. */
export function exportPoolMetrics(services: Services, registry: Registry): void {
  gauge('portolan_gateway_in_flight', 'Requests under way, those that wait among them', m => m.load?.underWay)
  gauge('portolan_gateway_pending', 'Requests that wait for a connection', m => m.load?.pools.pending)
  gauge(
    'portolan_gateway_upstream_connections',
    'Connections to instances, busy and idle',
    m => m.load?.pools.open,
  )
  counter('portolan_gateway_queued_total', 'Requests that had to wait for a connection', m => m.queued)
  counter(
    'portolan_gateway_queue_seconds_total',
    'Time that requests which got a connection had waited for it',
    m => m.queueSeconds,
  )
  counter(
    'portolan_gateway_prewarmed_total',
    'Connections opened to new instances ahead of requests',
    m => m.load?.pools.warmed ?? 0,
  )
  exportBreaker(services, registry)

  function gauge(name: string, help: string, read: (metrics: ServiceMetrics) => number | undefined): void {
    new Gauge({
      name,
      help,
      labelNames: ['service'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [service, metrics] of services) this.set({ service }, read(metrics) ?? 0)
      },
    })
  }

  function counter(name: string, help: string, read: (metrics: ServiceMetrics) => number): void {
    new Counter({
      name,
      help,
      labelNames: ['service'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [service, metrics] of services) this.inc({ service }, read(metrics))
      },
    })
  }
}

function exportBreaker(services: Services, registry: Registry): void {
  const registers = [registry]
  const labelNames = ['service', 'limit']
  new Gauge({
    name: 'portolan_gateway_breaker_limit',
    help: 'What the circuit breaker of a service allows; +Inf = as many as come',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const [service, { load }] of services) {
        if (load === undefined) continue
        const { connections, pending, requests, queueTimeoutMs } = load.pools.breaker
        this.set({ service, limit: 'connections' }, connections)
        this.set({ service, limit: 'pending' }, pending)
        this.set({ service, limit: 'requests' }, requests === 0 ? Number.POSITIVE_INFINITY : requests)
        this.set({ service, limit: 'queueTimeout' }, queueTimeoutMs / 1000)
      }
    },
  })
  new Counter({
    name: 'portolan_gateway_breaker_struck_total',
    help: 'How often a limit of the circuit breaker of a service was met',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const [service, { struck }] of services) {
        for (const [limit, count] of Object.entries(struck)) this.inc({ service, limit }, count)
      }
    },
  })
}
