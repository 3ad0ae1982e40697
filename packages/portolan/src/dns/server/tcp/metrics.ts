import { Counter, Gauge, type Registry } from 'prom-client'

/** Why we ended a connection. `unread`: its client did not take its answers. */
export type EndReason = 'idle' | 'slow' | 'unread' | 'memory' | 'gave-way' | 'malformed' | 'failed'

/** What TCP listeners count: one of these may count for several. */
export class TcpCounts {
  open = 0
  opened = 0
  /** Bytes kept for connections: messages that are not whole, answers that were not taken. */
  held = 0
  /** Connections that were closed at once: all others were busy, or the system gave us no descriptor. */
  readonly refused = { busy: 0, accept: 0 }
  readonly ended: Record<EndReason, number> = {
    idle: 0,
    slow: 0,
    unread: 0,
    memory: 0,
    'gave-way': 0,
    malformed: 0,
    failed: 0,
  }
}

/** Shows what became of connections. */
export function exportTcpMetrics(counts: TcpCounts, registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'portolan_dns_tcp_connections',
    help: 'DNS connections over TCP that are open',
    registers,
    collect() {
      this.set(counts.open)
    },
  })
  new Gauge({
    name: 'portolan_dns_tcp_buffered_bytes',
    help: 'Bytes kept for DNS connections over TCP',
    registers,
    collect() {
      this.set(counts.held)
    },
  })
  new Counter({
    name: 'portolan_dns_tcp_connections_total',
    help: 'DNS connections over TCP that were opened',
    registers,
    collect() {
      this.reset()
      this.inc(counts.opened)
    },
  })
  new Counter({
    name: 'portolan_dns_tcp_refused_total',
    help: 'DNS connections over TCP that were closed at once, by why',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(counts.refused)) this.inc({ reason }, count)
    },
  })
  new Counter({
    name: 'portolan_dns_tcp_ended_total',
    help: 'DNS connections over TCP that the server ended, by why',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(counts.ended)) this.inc({ reason }, count)
    },
  })
}
