import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { AnswerCache } from './cache/answer-cache.ts'
import type { ForwardCounts } from './counts.ts'
import type { Upstream } from './upstream/upstreams.ts'

export interface Shown {
  readonly upstreams: readonly Upstream[]
  readonly cache: AnswerCache
  readonly counts: ForwardCounts
}

/** What cannot be read when somebody looks. */
export interface ForwardMetrics {
  /** An answer of an upstream was waited for. */
  waited(seconds: number): void
  /** Questions under way. */
  underWay(read: () => number): void
}

/** Shows what questions for names of others came to, and what the upstreams did. */
export function exportForwardMetrics(
  { upstreams, cache, counts }: Shown,
  registry: Registry,
): ForwardMetrics {
  const registers = [registry]
  let underWay = (): number => 0
  new Counter({
    name: 'portolan_dns_forward_questions_total',
    help: 'Questions for names of others, by who answered',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const [result, count] of Object.entries(counts.results)) this.inc({ result }, count)
    },
  })
  const seconds = new Histogram({
    name: 'portolan_dns_forward_seconds',
    help: 'Time from a question that upstreams had to be asked to its answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5],
    registers,
  })
  new Counter({
    name: 'portolan_dns_forward_prefetched_total',
    help: 'Answers asked for anew before their time was over, because they were still asked for',
    registers,
    collect() {
      this.reset()
      this.inc(counts.prefetched)
    },
  })
  gauge('portolan_dns_forward_under_way', 'Different questions that upstreams are being asked', () =>
    underWay(),
  )
  gauge('portolan_dns_forward_cache_answers', 'Answers kept, stale ones among them', () => cache.size)
  gauge('portolan_dns_forward_cache_bytes', 'Memory that they take', () => cache.bytes)
  exportUpstreams(upstreams, registry)
  return {
    waited: value => seconds.observe(value),
    underWay: read => {
      underWay = read
    },
  }

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
}

function exportUpstreams(upstreams: readonly Upstream[], registry: Registry): void {
  const registers = [registry]
  counter('portolan_dns_forward_asked_total', 'Questions put to an upstream', one => one.asked)
  counter(
    'portolan_dns_forward_strays_total',
    'Messages from an upstream, or in its name, that answered nothing it was asked',
    one => one.strays,
  )
  gauge('portolan_dns_forward_upstream_up', '0 while an upstream is asked for trials alone', one =>
    one.health.isOut ? 0 : 1,
  )
  gauge('portolan_dns_forward_upstream_rtt_seconds', 'Smoothed time that an upstream takes to answer', one =>
    one.health.roundTripMs === undefined ? undefined : one.health.roundTripMs / 1000,
  )
  new Counter({
    name: 'portolan_dns_forward_failures_total',
    help: 'Questions that an upstream failed to answer, by what it did instead',
    labelNames: ['upstream', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const { name, failures } of upstreams) {
        for (const [reason, count] of Object.entries(failures)) this.inc({ upstream: name, reason }, count)
      }
    },
  })

  function counter(name: string, help: string, read: (upstream: Upstream) => number): void {
    new Counter({
      name,
      help,
      labelNames: ['upstream'],
      registers,
      collect() {
        this.reset()
        for (const upstream of upstreams) this.inc({ upstream: upstream.name }, read(upstream))
      },
    })
  }

  function gauge(name: string, help: string, read: (upstream: Upstream) => number | undefined): void {
    new Gauge({
      name,
      help,
      labelNames: ['upstream'],
      registers,
      collect() {
        this.reset()
        for (const upstream of upstreams) {
          const value = read(upstream)
          if (value !== undefined) this.set({ upstream: upstream.name }, value)
        }
      },
    })
  }
}
