import { Counter, Gauge, type Registry } from 'prom-client'
import type { PathContext } from '../path-context.ts'
import { type Limit, limitTable } from './table.ts'

/** Shows what one gateway is limited to, how often that was met, and how near it is to what can't be counted in requests. */
export function exportLimitMetrics(path: PathContext, registry: Registry): void {
  const { metrics, settings, descriptors, memory } = path
  const registers = [registry]
  new Gauge({
    name: 'portolan_gateway_limit',
    help: 'What the gateway is limited to, in bytes and seconds; +Inf = there is no limit',
    labelNames: ['limit'],
    registers,
    collect() {
      for (const { name, value } of limitTable) this.set({ limit: name }, value(settings, path.limits))
      this.set({ limit: 'descriptors' }, descriptors.limit)
    },
  })
  const strikes = ({ struck: { count, code = '' } }: Limit): number => {
    const counted = count === undefined ? 0 : metrics.struck[count]
    return counted + (metrics.problems.get(code) ?? 0) + (metrics.flaws.get(code) ?? 0)
  }
  new Counter({
    name: 'portolan_gateway_limit_struck_total',
    help: 'How often a limit of the gateway was met',
    labelNames: ['limit'],
    registers,
    collect() {
      this.reset()
      for (const limit of limitTable) this.inc({ limit: limit.name }, strikes(limit))
      this.inc({ limit: 'descriptors' }, metrics.struck.descriptors)
    },
  })
  new Gauge({
    name: 'portolan_gateway_descriptors',
    help: 'Descriptors that the process has open',
    registers,
    collect() {
      this.set(descriptors.used)
    },
  })
  new Gauge({
    name: 'portolan_gateway_buffered_bytes',
    help: 'Bytes kept in memory for peers',
    registers,
    collect() {
      this.set(memory.used)
    },
  })
}
