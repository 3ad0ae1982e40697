import { Counter, Gauge, type Registry } from 'prom-client'
import { rcodes } from '../codec/codes.ts'
import type { Directory } from '../directory/directory.ts'

const rcodeNames = new Map<number, string>(Object.entries(rcodes).map(([name, code]) => [code, name]))

/** What a DNS server counts: plain numbers, since a labelled counter costs a map look-up and a string a question. */
export class DnsMetrics {
  /** Messages that came, by how they came. */
  udp = 0
  tcp = 0
  /** Of those over UDP: from outside the trusted networks, and answered in full. */
  outside = 0
  /** Messages that are answered by nobody, being answers themselves or less than a header. */
  dropped = 0
  /** Answers by their code. */
  readonly rcodes = new Float64Array(32)
  /** Answers that say that they were cut. */
  truncated = 0
  /** Answers whose bytes were there already. */
  ready = 0
  failed = 0

  /** @param code where its OPT record says a part of it (RFC 6891 section 6.1.3) */
  answered(bytes: Uint8Array, code = (bytes[3] as number) & 0x0f): void {
    this.rcodes[code] = (this.rcodes[code] as number) + 1
    if (((bytes[2] as number) & 0x02) !== 0) this.truncated++
  }

  /** Shows them in `registry`, beside what is known at the moment. */
  expose(registry: Registry, directory: Directory): void {
    const registers = [registry]
    const counters: readonly (readonly [name: string, help: string, read: () => number])[] = [
      [
        'portolan_dns_dropped_total',
        'Messages that were not answered, being no questions',
        () => this.dropped,
      ],
      ['portolan_dns_truncated_total', 'Answers that were cut, and said so', () => this.truncated],
      ['portolan_dns_encoded_hits_total', 'Answers whose bytes were there already', () => this.ready],
      [
        'portolan_dns_outside_total',
        'Questions over UDP that were answered outside dns.trusted',
        () => this.outside,
      ],
      ['portolan_dns_socket_errors_total', 'Answers that could not be sent', () => this.failed],
    ]
    for (const [name, help, read] of counters) {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(read())
        },
      })
    }
    const messages = () => ({ udp: this.udp, tcp: this.tcp })
    new Counter({
      name: 'portolan_dns_queries_total',
      help: 'Messages that came',
      labelNames: ['transport'],
      registers,
      collect() {
        this.reset()
        for (const [transport, count] of Object.entries(messages())) this.inc({ transport }, count)
      },
    })
    const codes = this.rcodes
    new Counter({
      name: 'portolan_dns_responses_total',
      help: 'Answers that were sent, by response code',
      labelNames: ['rcode'],
      registers,
      collect() {
        this.reset()
        for (const [code, count] of codes.entries())
          if (count > 0) this.inc({ rcode: rcodeNames.get(code) ?? String(code) }, count)
      },
    })
    new Gauge({
      name: 'portolan_dns_ready',
      help: 'Whether a registry has told which services there are: 1 = yes',
      registers,
      collect() {
        this.set(directory.ready ? 1 : 0)
      },
    })
    new Gauge({
      name: 'portolan_dns_stale',
      help: 'Whether what was known last is served because no registry answers: 1 = yes',
      registers,
      collect() {
        this.set(directory.stale ? 1 : 0)
      },
    })
  }
}
