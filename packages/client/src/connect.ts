import { type OpenResolver, type ResolverOptions, resolverOver } from './open-resolver.ts'
import { type ConnectOptions, openPortolan, type Portolan } from './portolan.ts'
import type { Runtime, Timers } from './runtime.ts'
import { dialWebSocket } from './session/websocket.ts'

/**
 * Connects to a registry, or to several that know the same. Without `url`: `PORTOLAN_URL` (a comma list), else
 * `http://127.0.0.1:7400`. Resolves when the first registry has answered.
 * @throws Fault `registry_unreachable` naming each address and why, `unauthorized`, `config_invalid`
 */
export function connect(url?: string | readonly string[], options: ConnectOptions = {}): Promise<Portolan> {
  return openPortolan(url, options, systemRuntime, process.env)
}

/**
 * A resolver with a session of its own, for whoever balances by itself. Returns at once, and connects for as long as
 * it takes.
 * @throws Fault `config_invalid` for addresses that are none
 */
export function openResolver(options: ResolverOptions): OpenResolver {
  return resolverOver(options, systemRuntime, process.env)
}

const systemTimers: Timers = {
  after(ms, run, kind) {
    const timer = setTimeout(run, ms)
    if (kind === 'background') timer.unref()
    return () => clearTimeout(timer)
  },
}

/** The real world. */
const systemRuntime: Runtime = {
  clock: { now: () => performance.now() },
  random: Math.random,
  timers: systemTimers,
  dial: dialWebSocket,
}
