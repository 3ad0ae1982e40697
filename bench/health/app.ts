import { join } from 'node:path'
import { end, firstLine, fromSource, root, start } from '../programs.ts'

export interface Counts {
  readonly ours: number
  readonly others: number
  readonly business: number
}

/** A process that stands for many instances, on the second processor. */
export async function openApp() {
  const child = start(1, process.execPath, [...fromSource, join(root, 'bench/health/checked-app.ts')])
  const port = await firstLine(child, line => Number(/^port (\d+)$/.exec(line)?.[1]) || undefined)
  return {
    pid: child.pid ?? 0,
    port,
    /** How often it was asked so far, and by whom. */
    async counts(): Promise<Counts> {
      const response = await fetch(`http://127.0.0.1:${port}/counts`)
      return (await response.json()) as Counts
    },
    [Symbol.asyncDispose]: () => end(child),
  }
}

/** As many addresses of 127.0.0.0/8 as wanted, none of which anybody else uses. */
export function loopbackAddresses(count: number, net: number): string[] {
  return Array.from({ length: count }, (_, i) => `127.${net}.${Math.floor(i / 250)}.${(i % 250) + 1}`)
}

export const pause = (ms: number): Promise<unknown> => new Promise(resolve => setTimeout(resolve, ms))

/** Waits until a service has so many instances that may be picked. */
export async function healthyInstances(api: string, service: string, count: number): Promise<void> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const response = await fetch(`${api}/api/v1/services/${service}/instances?healthy=true`)
    const { instances } = (await response.json()) as { instances: readonly unknown[] }
    if (instances.length === count) return
    if (performance.now() > deadline) {
      throw new Error(`${instances.length} of ${count} instances of ${service} are healthy after two minutes`)
    }
    await pause(500)
  }
}
