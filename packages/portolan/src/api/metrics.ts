import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What the API counts. docs/metrics.md explains each. */
export interface ApiMetrics {
  readonly requests: Counter<'method' | 'route' | 'status'>
  readonly seconds: Histogram<'method' | 'route'>
  readonly refused: Counter<'code'>
  readonly streams: Gauge
  readonly messages: Counter<'type'>
  readonly silences: Counter
  readonly loopLag: Counter
}

export function openApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry]
  return {
    requests: new Counter({
      name: 'portolan_api_requests_total',
      help: 'Answered HTTP requests',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    seconds: new Histogram({
      name: 'portolan_api_request_seconds',
      help: 'Time from a request to the end of its answer',
      labelNames: ['method', 'route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    refused: new Counter({
      name: 'portolan_api_refused_total',
      help: 'Requests and upgrades that were refused before they reached a route',
      labelNames: ['code'],
      registers,
    }),
    streams: new Gauge({ name: 'portolan_api_streams', help: 'Open event streams', registers }),
    messages: new Counter({
      name: 'portolan_session_messages_total',
      help: 'Messages that sessions sent us',
      labelNames: ['type'],
      registers,
    }),
    silences: new Counter({
      name: 'portolan_session_silences_total',
      help: 'Pings that were not answered in time',
      registers,
    }),
    loopLag: new Counter({
      name: 'portolan_session_lag_seconds_total',
      help: 'Lateness of our own timers that was not held against sessions',
      registers,
    }),
  }
}
