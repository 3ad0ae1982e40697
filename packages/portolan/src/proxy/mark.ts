import { randomBytes } from 'node:crypto'
import { type ServiceName, serviceKey } from '@portolan/core'
import { field, latin1, type RequestHead } from './codec/codec.ts'

/**
 * By which a gateway knows requests again that it has sent to this service already: `Portolan-Hop: GATEWAY/SERVICE`.
 * Of one service only, since an instance may well be a proxy that passes a request's fields on when it asks for another
 * service. Not in Via: some servers compress nothing for requests that have one.
 */
export class Mark {
  /** The whole field line with CRLF. */
  readonly line: Uint8Array
  readonly #value: string

  constructor(gateway: string, service: ServiceName) {
    this.#value = `${gateway}/${serviceKey(service)}`
    this.line = Buffer.from(`Portolan-Hop: ${this.#value}\r\n`, 'latin1')
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
