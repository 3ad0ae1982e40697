/** What a name in one of our domains asks for. All texts in lower case. */
export type Meaning =
  | { readonly kind: 'apex' }
  /** `ns.portolan`: this server, as SOA and NS call it. */
  | { readonly kind: 'nameserver' }
  | ServiceMeaning
  /** `i-1.instance.order.portolan`: that one instance, whether it may be picked or not, as SRV records call it. */
  | { readonly kind: 'instance'; readonly namespace: string; readonly service: string; readonly id: string }
  /** `7f000001.addr.portolan`: that one address, where an instance has it. */
  | { readonly kind: 'address'; readonly ip: string }
  /** `1.0.0.127.in-addr.arpa`, where an instance has that address: a zone of its own. */
  | { readonly kind: 'reverse'; readonly ip: string }
  /** `box.node.consul`: the machine. */
  | { readonly kind: 'host'; readonly host: string }
  /** A name above those that exist, such as `_tcp.order.portolan`: NODATA (RFC 8020). */
  | { readonly kind: 'empty' }
  | { readonly kind: 'nothing' }

export interface ServiceMeaning {
  readonly kind: 'service'
  readonly namespace: string
  readonly service: string
  readonly tag?: string
  readonly zone?: string
  /** Absent: the service's default port. */
  readonly port?: WantedPort
}

/** Of `_http._tcp.order.portolan`: the port's name, and how it is reached. Without a name: the first that is reached so. */
export interface WantedPort {
  readonly name?: string
  readonly transport: 'tcp' | 'udp'
}

/** A domain that we answer for. */
export interface Domain {
  /** Lower case, without the last dot: `portolan`. */
  readonly name: string
  /** `consul`: its name forms; and a service without a usable instance is NXDOMAIN there. */
  readonly style: 'portolan' | 'consul'
}
