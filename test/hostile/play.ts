import type { Socket } from 'node:net'
import { eventually } from '../../packages/portolan/src/proxy/testing/harness.ts'
import type { Step } from './case.ts'

/** Does what the steps say, each write as a packet of its own. */
export async function play(
  socket: Socket,
  steps: readonly Step[],
  isIdle: () => boolean = () => true,
): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return
    if (typeof step === 'string') {
      socket.write(step, 'latin1')
      await new Promise(setImmediate)
    } else if ('pause' in step) await new Promise(resolve => setTimeout(resolve, step.pause))
    else if (step.act === 'idle') await eventually(isIdle)
    else if (step.act === 'gone') await eventually(() => socket.destroyed)
    else if (step.act === 'end') socket.end()
    else socket.resetAndDestroy()
  }
}
