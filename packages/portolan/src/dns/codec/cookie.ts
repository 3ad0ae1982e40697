/** RFC 7873 section 4. */
const cookieOption = 10
const optionBytes = 4

/**
 * Puts a cookie into the OPT record that a reply ends with. Whoever gets one in some answers takes those without it for
 * forged, and asks again by TCP.
 * @param reply to a query with an OPT record: that of the reply is its last, and without options
 * @param cookie the whole of the option's data: client cookie and server cookie
 */
export function withCookie(reply: Buffer, cookie: Uint8Array): Buffer {
  const longer = Buffer.allocUnsafe(reply.length + optionBytes + cookie.length)
  reply.copy(longer)
  longer.writeUInt16BE(optionBytes + cookie.length, reply.length - 2)
  longer.writeUInt16BE(cookieOption, reply.length)
  longer.writeUInt16BE(cookie.length, reply.length + 2)
  longer.set(cookie, reply.length + optionBytes)
  return longer
}

/** What a cookie adds to a reply. */
export function cookieBytes(cookie: Uint8Array): number {
  return optionBytes + cookie.length
}
