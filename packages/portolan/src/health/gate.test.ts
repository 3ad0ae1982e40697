import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fifo } from './fifo.ts'
import { Gate, perTurn } from './gate.ts'

const immediately = (run: () => void): void => run()

describe('the queue', () => {
  it('is first in, first out, as an array is', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat()), { maxLength: 300 }), operations => {
        const fifo = new Fifo<number>()
        const model: number[] = []
        for (const item of operations) {
          if (item === null) expect(fifo.shift()).toBe(model.shift())
          else {
            fifo.push(item)
            model.push(item)
          }
          expect(fifo.size).toBe(model.length)
        }
      }),
    )
  })

  it('takes and gives 200,000 in no time', () => {
    const fifo = new Fifo<number>()
    for (let index = 0; index < 200_000; index++) fifo.push(index)
    for (let index = 0; index < 200_000; index++) if (fifo.shift() !== index) expect.unreachable()
    expect(fifo.shift()).toBeUndefined()
  })
})

describe('the gate', () => {
  it('lets so many in, the others in the order in which they came', () => {
    const gate = new Gate(2, immediately)
    const begun: string[] = []
    const entrant = (name: string, wanted = true) => ({
      begin() {
        if (wanted) begun.push(name)
        return wanted
      },
    })
    for (const name of ['a', 'b', 'c']) gate.enter(entrant(name), false)
    gate.enter(entrant('not wanted any more', false), false)
    gate.enter(entrant('d'), false)
    expect([begun, gate.inside, gate.waiting]).toEqual([['a', 'b'], 2, 3])
    gate.leave()
    gate.leave()
    expect([begun, gate.inside, gate.waiting]).toEqual([['a', 'b', 'c', 'd'], 2, 0])
  })

  it('gives three of four places to those in a hurry, so that nobody starves', () => {
    const gate = new Gate(1, immediately)
    const begun: string[] = []
    const entrant = (name: string) => ({ begin: () => begun.push(name) > 0 })
    gate.enter(entrant('first'), false)
    for (let index = 0; index < 100; index++) {
      gate.enter(entrant('patient'), false)
      gate.enter(entrant('hurried'), true)
    }
    for (let index = 0; index < 40; index++) gate.leave()
    const patient = begun.slice(1).filter(name => name === 'patient').length
    expect(patient).toBe(10)
  })

  it('survives that a hundred thousand are done within their beginning', () => {
    const gate = new Gate(1, immediately)
    let begun = 0
    const hold = { begin: () => true }
    const brief = {
      begin() {
        begun++
        gate.leave()
        return true
      },
    }
    gate.enter(hold, false)
    for (let index = 0; index < 100_000; index++) gate.enter(brief, false)
    gate.leave()
    expect([begun, gate.inside, gate.waiting]).toEqual([100_000, 0, 0])
  })

  it('survives that one is done as soon as it begins', () => {
    const gate = new Gate(1, immediately)
    let begun = 0
    const brief = {
      begin() {
        begun++
        queueMicrotask(() => gate.leave())
        return true
      },
    }
    for (let index = 0; index < 10; index++) gate.enter(brief, false)
    return expect.poll(() => [begun, gate.inside]).toEqual([10, 0])
  })

  it('lets few in at a turn, whatever room there is, and the others in the turns that follow', () => {
    const turns: (() => void)[] = []
    const gate = new Gate(100, run => turns.push(run))
    let begun = 0
    for (let index = 0; index < 3 * perTurn; index++)
      gate.enter({ begin: () => ++begun > 0 }, index % 2 === 0)
    const seen = [begun]
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
      turn()
      seen.push(begun)
    }
    expect(seen).toEqual([perTurn, 2 * perTurn, 3 * perTurn, 3 * perTurn])
    expect([gate.inside, gate.waiting]).toEqual([3 * perTurn, 0])
  })
})
