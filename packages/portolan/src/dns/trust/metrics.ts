import { Counter, type Registry } from 'prom-client'
import type { TrustCounts } from './client-trust.ts'

/** Shows what became of queries from outside `dns.trusted`. */
export function exportTrustMetrics({ cookies, limited }: TrustCounts, registry: Registry): void {
  const registers = [registry]
  new Counter({
    name: 'portolan_dns_cookies_total',
    help: 'Queries with a DNS cookie from outside the trusted networks, by what it proved',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const [result, count] of Object.entries(cookies)) this.inc({ result }, count)
    },
  })
  new Counter({
    name: 'portolan_dns_rate_limited_total',
    help: 'Queries from outside the trusted networks that came too fast, by what was said to them',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const [result, count] of Object.entries(limited)) this.inc({ result }, count)
    },
  })
}
