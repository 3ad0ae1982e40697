import { seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  backoffMs,
  defaultTiming,
  type Effect,
  type MachineEvent,
  type MachineState,
  step,
  stopped,
} from './machine.ts'

/** A machine in virtual time, and what it has wanted so far. */
function bench(random = seededRandom(1)) {
  let now = 0
  let state: MachineState = stopped(now)
  const effects: Effect[] = []
  const send = (...events: MachineEvent[]): Effect[] => {
    const begin = effects.length
    for (const event of events) {
      const next = step(state, event, { now, random, timing: defaultTiming })
      state = next.state
      effects.push(...next.effects)
    }
    return effects.slice(begin)
  }
  return {
    send,
    /** Goes to the deadline. @returns how long that was */
    wait(): number {
      const wait = (state.deadline ?? now) - now
      now += wait
      send('tick')
      return wait
    },
    pass: (ms: number) => {
      now += ms
      return send('tick')
    },
    get state() {
      return state
    },
    effects,
  }
}

const running = ['start', 'launched', 'opened', 'registered'] as const

describe('the life of a copy', () => {
  it('launches, registers when the port opens, and departs the moment it exits', () => {
    const { send, effects } = bench()
    send(...running)
    expect(effects).toEqual(['launch', 'register'])
    expect(send('exited')).toEqual(['depart', 'clear'])
  })

  it('backs off longer with every failure, and forgets them after a stable time', () => {
    const machine = bench(() => 0.999999)
    machine.send('start', 'launched')
    const waits = Array.from({ length: 12 }, () => {
      machine.send('exited', 'cleared')
      const wait = machine.wait()
      machine.send('launched')
      return Math.round(wait)
    })
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000])

    machine.send('opened', 'registered')
    machine.pass(defaultTiming.stableMs - 1)
    expect(machine.state.failures).toBe(12)
    machine.pass(1)
    expect(machine.state.failures).toBe(0)
    machine.send('exited', 'cleared')
    expect(Math.round(machine.wait())).toBe(100)
  })

  it('keeps every back-off between half of the doubled time and all of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, dice) => {
          const whole = Math.min(30_000, 100 * 2 ** (n - 1))
          const wait = backoffMs(n, defaultTiming, () => dice)
          expect(wait).toBeGreaterThanOrEqual(whole / 2)
          expect(wait).toBeLessThanOrEqual(whole)
        },
      ),
    )
  })

  it('stops by drain, then SIGTERM, then SIGKILL, each after its grace time', () => {
    const machine = bench()
    machine.send(...running)
    expect(machine.send('stop')).toEqual(['drain'])
    expect(machine.pass(defaultTiming.drainGraceMs - 1)).toEqual([])
    expect(machine.pass(1)).toEqual(['terminate'])
    expect(machine.pass(defaultTiming.stopGraceMs - 1)).toEqual([])
    expect(machine.pass(1)).toEqual(['kill'])
    expect(machine.send('exited', 'cleared')).toEqual(['depart', 'clear'])
    expect(machine.state.phase).toBe('stopped')
  })

  it('does not wait for the drain of what takes no traffic, nor for the end of a drain that is acknowledged', () => {
    const starting = bench()
    starting.send('start', 'launched')
    expect(starting.send('stop')).toEqual(['terminate'])
    const drained = bench()
    drained.send(...running, 'stop')
    expect(drained.send('drained')).toEqual(['terminate'])
  })

  it('starts again without back-off when it is wanted again while it stops', () => {
    const machine = bench()
    machine.send(...running, 'stop', 'start', 'drained')
    expect(machine.send('exited', 'cleared')).toEqual(['depart', 'clear', 'launch'])
  })

  it('ends a process that was being made when the stop came', () => {
    const stoppedThen = bench()
    expect(stoppedThen.send('start', 'stop', 'launched')).toEqual(['launch', 'terminate'])
    const killedThen = bench()
    expect(killedThen.send('start', 'kill', 'launched')).toEqual(['launch', 'kill'])
  })

  it('registers again, later and later, while the registry refuses', () => {
    const machine = bench(() => 0.999999)
    machine.send('start', 'launched', 'opened')
    const waits = Array.from({ length: 3 }, () => {
      machine.send('register-failed')
      return Math.round(machine.wait())
    })
    expect(waits).toEqual([100, 200, 400])
    expect(machine.effects.filter(effect => effect === 'register')).toHaveLength(4)
  })

  it('goes on with an adopted process as with its own', () => {
    const { send } = bench()
    expect(send('adopted', 'opened', 'registered', 'exited', 'cleared')).toEqual([
      'register',
      'depart',
      'clear',
    ])
  })
})

/**
 * A world that answers the machine as processes and registries do, in any order and at any time: events of the world
 * are possible only where the world is so; the operator's may come whenever they like.
 */
const moves = ['start', 'start', 'stop', 'kill', 'world', 'world', 'world', 'late', 'time', 'die'] as const

describe('whatever happens', () => {
  it('never has two processes of one copy, never leaves one behind, and always stops', () => {
    const script = fc.array(fc.tuple(fc.constantFrom(...moves), fc.nat(30_000)), {
      minLength: 50,
      maxLength: 200,
    })
    let launches = 0
    fc.assert(
      fc.property(script, fc.integer(), (script, seed) => {
        const random = seededRandom(seed)
        let now = 0
        let state = stopped(now)
        const world = {
          making: false,
          leader: false,
          group: false,
          clearing: false,
          registering: false,
          open: false,
        }
        const send = (event: MachineEvent): void => {
          const next = step(state, event, { now, random, timing: defaultTiming })
          state = next.state
          for (const effect of next.effects) react(effect)
        }
        const react = (effect: Effect): void => {
          if (effect === 'launch') {
            launches++
            expect(world).toMatchObject({ making: false, leader: false, group: false, clearing: false })
            world.making = true
          }
          if (effect === 'register') world.registering = true
          if (effect === 'clear') {
            expect(world.leader).toBe(false)
            world.clearing = true
          }
        }
        const die = (): void => {
          if (!world.leader) return
          Object.assign(world, { leader: false, open: false })
          send('exited')
        }
        const proceed = (fails: boolean): void => {
          if (world.making) {
            Object.assign(world, { making: false, leader: !fails, group: !fails })
            send(fails ? 'launch-failed' : 'launched')
          } else if (world.clearing) {
            Object.assign(world, { clearing: false, group: false })
            send('cleared')
          } else if (world.registering) {
            world.registering = false
            send(fails ? 'register-failed' : 'registered')
          } else if (world.leader && !world.open) {
            world.open = true
            send('opened')
          }
        }
        for (const [move, dice] of script) {
          if (move === 'start' || move === 'stop' || move === 'kill') send(move)
          else if (move === 'world') proceed(dice % 4 === 0)
          else if (move === 'die') die()
          // Answers of registrars may come late and to another process than the one that was asked about.
          else if (move === 'late')
            send((['drained', 'registered', 'register-failed'] as const)[dice % 3] ?? 'drained')
          else {
            now += dice
            send('tick')
          }
          if (state.phase === 'stopped')
            expect(world).toMatchObject({ making: false, leader: false, group: false })
        }
        send('stop')
        for (let turn = 0; turn < 20 && state.phase !== 'stopped'; turn++) {
          now = Math.max(now, state.deadline ?? now)
          send('tick')
          if (state.phase === 'killing') die()
          if (!world.leader || state.phase === 'launching') proceed(false)
        }
        expect(state.phase).toBe('stopped')
      }),
      { numRuns: 500 },
    )
    expect(launches).toBeGreaterThan(500)
  })
})
