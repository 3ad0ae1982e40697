import { describe, expect, it } from 'vitest'
import { Backlog } from '../backlog.ts'
import { Deadlines } from '../deadlines.ts'
import { Held } from '../held.ts'
import { Memory, type Queue } from './memory.ts'

function memoryOf(limit: number) {
  const deadlines = new Deadlines(100)
  const memory = new Memory(() => limit)
  deadlines.add(memory)
  return { memory, deadlines }
}

class Socket implements Queue {
  queued: number
  flushes = 0
  constructor(queued: number) {
    this.queued = queued
  }
  flushed(): void {
    this.flushes++
  }
}

describe('the memory of a gateway', () => {
  it('is what is kept, and what sockets have queued', () => {
    const { memory, deadlines } = memoryOf(1000)
    const held = new Held(memory)
    const backlog = new Backlog(memory)
    held.keep('x'.repeat(300))
    expect(memory.used).toBe(300)
    backlog.append(Buffer.alloc(200), 0, 200)
    expect(memory.used).toBe(300 + 512)
    const socket = new Socket(188)
    memory.note(socket)
    memory.note(socket)
    expect([memory.used, memory.isShort]).toEqual([1000, false])
    held.keep('x')
    expect([memory.isShort, memory.isExhausted]).toEqual([true, false])
    held.keep('x'.repeat(250))
    expect(memory.isExhausted).toBe(true)
    held.forget()
    backlog.drop()
    expect(memory.used).toBe(188)
    socket.queued = 50
    deadlines.sweep()
    expect([memory.used, socket.flushes]).toEqual([50, 0])
    socket.queued = 0
    deadlines.sweep()
    deadlines.sweep()
    expect([memory.used, socket.flushes]).toEqual([0, 1])
  })

  it('of a backlog follows its buffer, however it grows and goes', () => {
    const { memory } = memoryOf(1e9)
    const backlog = new Backlog(memory)
    for (let n = 1; n < 2000; n++) {
      backlog.append(Buffer.alloc(n % 700), 0, n % 700)
      if (n % 3 === 0) backlog.consumed(Math.min(backlog.end, backlog.from + 500))
      expect(memory.used).toBe(backlog.bytes.length)
    }
    backlog.drop()
    expect(memory.used).toBe(0)
  })

  it('forgets sockets that have closed', () => {
    const { memory, deadlines } = memoryOf(10)
    const socket = new Socket(100)
    memory.note(socket)
    expect(memory.isExhausted).toBe(true)
    memory.forget(socket)
    deadlines.sweep()
    expect([memory.used, socket.flushes]).toEqual([0, 0])
  })
})
