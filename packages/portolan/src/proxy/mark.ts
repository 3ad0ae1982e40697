import { randomBytes } from 'node:crypto'
import { type ServiceName, serviceKey } from '@portolan/core'
import { field, latin1, type RequestHead } from './codec/codec.ts'

const defaultPseudonym = 'portolan'
const pseudonymPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

/**
 * What a gateway puts on requests to a service: `Via: 1.1 portolan` (RFC 9110 section 7.6.3), behind what others have written
 * there, and `Portolan-Hop: GATEWAY/SERVICE`, by which it knows requests again that it has sent to this service already. Of
 * one service only, since an instance may well be a proxy that passes a request's fields on when it asks for another
 * service. Not in Via: all gateways have one pseudonym there, comments may be left out by whoever passes it on, and some
 * have it turned off.
 */
export class Mark {
  /** The whole field lines with CRLF. */
  readonly lines: Uint8Array
  /** The same for what came as HTTP/1.0. */
  readonly oldLines: Uint8Array
  readonly #value: string

  /** @param pseudonym of the gateway in Via; `none`: there is no Via */
  constructor(gateway: string, service: ServiceName, pseudonym = defaultPseudonym) {
    this.#value = `${gateway}/${serviceKey(service)}`
    const name = pseudonymPattern.test(pseudonym) ? pseudonym : defaultPseudonym
    const linesFor = (minor: number): Uint8Array => {
      const via = name === 'none' ? '' : `Via: 1.${minor} ${name}\r\n`
      return Buffer.from(`${via}Portolan-Hop: ${this.#value}\r\n`, 'latin1')
    }
    this.lines = linesFor(1)
    this.oldLines = linesFor(0)
  }

  /** Whether the request has it: then it has come round. */
  isOn(bytes: Uint8Array, { fields }: RequestHead): boolean {
    for (let i = 0; i < fields.count; i++) {
      if (fields.id(i) !== field.portolanHop) continue
      const value = latin1(bytes, fields.valueStart(i), fields.valueEnd(i))
      if (value.split(',').some(part => part.trim() === this.#value)) return true
    }
    return false
  }
}

/** What one gateway is called in its marks: another one each time that it starts. */
export function gatewayName(): string {
  return randomBytes(6).toString('hex')
}
