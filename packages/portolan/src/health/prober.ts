import {
  type Check,
  checkDefaults,
  type Instance,
  type Milliseconds,
  type ProbeResult,
  type Prober,
} from '@portolan/core'
import type { Looked, Looks, Question } from './looks.ts'
import { aimAt } from './probes/aim.ts'
import { Turnstile } from './turnstile.ts'

export interface ProberParts {
  readonly looks: Looks
  /** The checks of an instance: as it asked for, or as the configuration says. */
  readonly checksOf: (instance: Instance, asked: readonly Check[] | undefined) => readonly Check[]
  /** Instances that are probed at the same time. */
  readonly most: number
}

/**
 * For the registry's own questions (a session closed, a restart, the end of a lease): by the instance's first check
 * that goes over the network, or by TCP connect if it has none. 5,000 at a restart come a few at a time, so that
 * they don't displace the checks.
 */
export function proberOf({ looks, checksOf, most }: ProberParts): Prober {
  const turnstile = new Turnstile(most)
  return {
    probe(instance, signal, asked) {
      const check = checksOf(instance, asked).find(overNetwork) ?? bareConnect(instance)
      if (check === undefined) return silent
      return turnstile.run(async () => {
        const result = await look(looks, instance, check, signal)
        if (result !== 'refused' || isAtMainPort(instance, check)) return result
        // Of the port that callers use we know nothing yet.
        const connect = bareConnect(instance)
        return connect === undefined ? 'silent' : look(looks, instance, connect, signal)
      })
    },
  }
}

/** Whether a check goes where callers go: that a management port refuses does not prove that nobody is there. */
export function isAtMainPort(instance: Instance, check: Check): boolean {
  const { type } = check
  if (type === 'script' || type === 'ttl') return false
  const aim = aimAt(instance, check.port, type === 'tcp' ? undefined : type)
  return typeof aim !== 'string' && aim.port === mainPort(instance.ports)?.number
}

/** The first that speaks TCP. */
function mainPort(ports: Instance['ports']): Instance['ports'][number] | undefined {
  return ports.find(({ protocol }) => protocol !== 'udp')
}

const silent = Promise.resolve<ProbeResult>('silent')

function overNetwork(check: Check): check is Exclude<Looked, { type: 'script' }> {
  return check.type === 'tcp' || check.type === 'http' || check.type === 'grpc'
}

/** At the first port that speaks TCP. */
export function bareConnect({ ports }: Pick<Instance, 'ports'>): Looked | undefined {
  const port = mainPort(ports)
  if (port === undefined) return undefined
  return port === ports[0] ? defaultCheck : { ...defaultCheck, port: port.number }
}

/** What an instance is tested by that nobody has said anything of: one object for all of them. */
export const defaultCheck: Looked & { readonly type: 'tcp' } = Object.freeze({
  id: 'tcp',
  type: 'tcp',
  intervalMs: checkDefaults.intervalMs,
  timeoutMs: checkDefaults.timeoutMs,
  rise: checkDefaults.rise,
})

function look(looks: Looks, instance: Instance, check: Looked, signal: AbortSignal): Promise<ProbeResult> {
  if (signal.aborted) return silent
  return new Promise(resolve => {
    const settle = (result: ProbeResult): void => {
      signal.removeEventListener('abort', giveUp)
      resolve(result)
    }
    const question: Question = {
      target: { instance, check, fresh: true },
      timeoutMs: check.timeoutMs,
      lateAfterMs: never,
      begins() {},
      late() {},
      found: ({ presence }) => settle(presence),
      dropped: () => settle('silent'),
    }
    const giveUp = (): void => {
      begun.cancel()
      settle('silent')
    }
    signal.addEventListener('abort', giveUp, { once: true })
    const begun = looks.begin(question, true)
  })
}

const never: Milliseconds = Number.POSITIVE_INFINITY
