/** How gateways take part in traces. */
export interface TracingSettings {
  /** Where spans are sent, by OTLP over HTTP: a URL with its path. */
  readonly endpoint: string
  /** The share of traces that are recorded, of those that begin at the gateway; whoever has begun one has decided already. */
  readonly sample: number
  /** What gateways are called in traces. */
  readonly serviceName: string
}
