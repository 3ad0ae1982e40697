// Loaded before a consumer (`--import`): notes when this process last turned to each address, by connecting to it or
// by writing to a connection that it has. That is the moment of the last pick, whether an answer came or not, and it
// is seen from outside: neither the gateway nor the library has to count anything for it.
import { Socket } from 'node:net'
import { monotonicMs } from '../monotonic.ts'
import { obey } from './control.ts'

/** When somebody was last turned to, by `address:port`. */
const last = new Map<string, number>()

export function note(address: string, port: number): void {
  last.set(`${address}:${port}`, monotonicMs())
}

const { connect, write } = Socket.prototype
const targets = new WeakMap<Socket, string>()

interface Target {
  readonly host?: string
  readonly port?: number
}

function noteConnect(this: Socket, ...args: unknown[]) {
  // `net.connect` hands its arguments on as one normalised list.
  const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0]
  if (typeof first === 'object' && first !== null) {
    const { host, port } = first as Target
    const target = `${host}:${port}`
    targets.set(this, target)
    last.set(target, monotonicMs())
  }
  return Reflect.apply(connect, this, args)
}

function noteWrite(this: Socket, ...args: unknown[]) {
  const target = targets.get(this)
  if (target !== undefined) last.set(target, monotonicMs())
  return Reflect.apply(write, this, args)
}

Object.assign(Socket.prototype, { connect: noteConnect, write: noteWrite })

obey({ last: (target: string) => last.get(target) ?? 0 })
