import { addressOfHex } from './hex.ts'

const v4Shape = /^((?:(?:0|[1-9]\d{0,2})\.){4})in-addr\.arpa$/
const v6Shape = /^((?:[0-9a-f]\.){32})ip6\.arpa$/

const reverseShape = /(?:^|\.)(?:in-addr|ip6)\.arpa$/

/** Whether it is where names of addresses are, or above some of them. */
export function isReverse(name: string): boolean {
  return reverseShape.test(name)
}

/** The address that a name asks back by (RFC 1035 section 3.5, RFC 3596 section 2.5): whole, in canonical text, or `undefined`. */
export function addressOfReverse(name: string): string | undefined {
  const v4 = v4Shape.exec(name)?.[1]
  if (v4 !== undefined) {
    const bytes = v4.slice(0, -1).split('.').reverse()
    return bytes.every(byte => Number(byte) <= 255) ? bytes.join('.') : undefined
  }
  const v6 = v6Shape.exec(name)?.[1]
  return v6 === undefined ? undefined : addressOfHex(v6.replaceAll('.', '').split('').reverse().join(''))
}
