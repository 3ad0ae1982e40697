/**
 * Websocket frames as a server sends them (RFC 6455, section 5.2: whole, not masked), made once and written to any
 * number of sockets. The library frames a message anew for each receiver.
 */
function frame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const bytes = Buffer.allocUnsafe(2 + extended + length)
  bytes[0] = 0x80 | opcode
  bytes[1] = extended === 0 ? length : extended === 2 ? 126 : 127
  if (extended === 2) bytes.writeUInt16BE(length, 2)
  if (extended === 8) bytes.writeBigUInt64BE(BigInt(length), 2)
  payload.copy(bytes, 2 + extended)
  return bytes
}

export function textFrame(text: string): Buffer {
  return frame(0x1, Buffer.from(text))
}

/** The payload says after how many milliseconds, counted from the pong, the next ping comes. */
export function pingFrame(intervalMs: number): Buffer {
  return frame(0x9, Buffer.from(String(Math.round(intervalMs))))
}
