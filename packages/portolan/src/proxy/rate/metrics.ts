import { Gauge, type Registry } from 'prom-client'
import type { ServiceMetrics } from '../metrics.ts'

/** Shows this gateway's share of each service's rate limit. */
export function exportRateMetrics(services: ReadonlyMap<string, ServiceMetrics>, registry: Registry): void {
  new Gauge({
    name: 'portolan_gateway_rate_limit_share',
    help: 'Requests a second that this gateway may let pass of a service that has a rate limit',
    labelNames: ['service'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [service, { rate }] of services) {
        if (rate?.qps !== undefined) this.set({ service }, rate.qps)
      }
    },
  })
}
