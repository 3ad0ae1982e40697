import { readdirSync, readlinkSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Check, ProbeResult } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding, Probe, ProbeTarget } from '../probe.ts'

/** One kind of probe, and what it can be pointed at. Everything stands on this machine. */
export interface ProbeSubject<Kind extends Check> {
  readonly probe: Probe<Kind>
  /** Passes within a few milliseconds. */
  readonly passing: ProbeTarget<Kind>
  /** What a pass proves of its being there. Default `answered`. */
  readonly proves?: ProbeResult
  /** Neither answers nor refuses, for as long as anybody waits. */
  readonly silent: ProbeTarget<Kind>
  /** Is there, and not well. */
  readonly failing?: ProbeTarget<Kind>
  /** Nobody is there. */
  readonly refused?: ProbeTarget<Kind>
  /** Cannot be probed at all: each is a finding, with the words that its reason has. */
  readonly odd: readonly (readonly [target: ProbeTarget<Kind>, words: RegExp])[]
  /** Many at once, where a thousand is too dear. Default 1000. */
  readonly crowd?: number
  /** Rounds of the crowd until code and caches have the size that they keep: they are no leak. Default 1. */
  readonly warmUp?: number
  /** What else must be gone when nothing runs: processes, say. Default nothing. */
  readonly leftovers?: () => number
  /** Ends the far side, not the probe. */
  close(): Promise<void>
}

/** What every probe owes whoever starts it. */
export function probeContract<Kind extends Check>(
  name: string,
  open: () => Promise<ProbeSubject<Kind>>,
): void {
  describe(`the contract of probes: ${name}`, () => {
    let subject: ProbeSubject<Kind>
    let before: string[] = []

    beforeEach(async () => {
      subject = await open()
      before = descriptors()
    })
    afterEach(async () => {
      await subject.probe.close()
      await subject.close()
    })

    /** No descriptor more than before the first probe: no socket, pipe or file. */
    const nothingLeft = async (): Promise<void> => {
      await subject.probe.close()
      await expect.poll(() => descriptors().length, { timeout: 10_000 }).toBeLessThanOrEqual(before.length)
      if (subject.leftovers !== undefined) await expect.poll(subject.leftovers, { timeout: 10_000 }).toBe(0)
    }

    it('settles once, and never within the call', async () => {
      const findings: Finding[] = []
      subject.probe.start(subject.passing, finding => findings.push(finding))
      expect(findings).toEqual([])
      await expect.poll(() => findings.length, { timeout: 10_000 }).toBe(1)
      expect(findings[0]).toMatchObject({
        status: 'passing',
        presence: subject.proves ?? 'answered',
        reason: '',
      })
      expect(findings[0]?.latencyMs).toBeGreaterThan(0)
      await look(subject.probe, subject.passing)
      expect(findings).toHaveLength(1)
      await nothingLeft()
    })

    it('tells who is there and not well from who is not there', async () => {
      const { failing, refused, probe } = subject
      if (failing !== undefined) {
        const finding = await look(probe, failing)
        expect(finding.status).toBe('critical')
        expect(finding.reason).toMatch(/^.{1,256}$/)
        expect(finding.presence).not.toBe('refused')
      }
      if (refused !== undefined) {
        expect(await look(probe, refused)).toMatchObject({ status: 'critical', presence: 'refused' })
        expect((await look(probe, refused)).reason).toMatch(/^.{1,256}$/)
      }
      await nothingLeft()
    })

    it('never throws: what cannot be probed is a finding that says why, and proves nothing', async () => {
      for (const [target, words] of subject.odd) {
        const finding = await look(subject.probe, target)
        expect(finding).toMatchObject({ status: 'critical', presence: 'silent' })
        expect(finding.reason).toMatch(words)
        expect(finding.reason).toMatch(/^.{1,256}$/)
      }
      await nothingLeft()
    })

    it('waits for as long as nobody cancels, and says nothing after a cancel', async () => {
      let settled = 0
      const running = subject.probe.start(subject.silent, () => settled++)
      await look(subject.probe, subject.passing)
      expect(settled).toBe(0)
      expect(running.waitingFor?.() ?? 'nothing said').toMatch(/^.{1,128}$/)
      running.cancel()
      running.cancel()
      await look(subject.probe, subject.passing)
      expect(settled).toBe(0)
      await nothingLeft()
    })

    it('may be cancelled at once, after it has settled, and while it settles', async () => {
      let settled = 0
      subject.probe.start(subject.passing, () => settled++).cancel()
      for (const [odd] of subject.odd) subject.probe.start(odd, () => settled++).cancel()
      await new Promise<void>(resolve => {
        const running = subject.probe.start(subject.passing, () => {
          running.cancel()
          resolve()
        })
      })
      await look(subject.probe, subject.passing)
      expect(settled).toBe(0)
      await nothingLeft()
    })

    it('starts the next from within a settling', async () => {
      const second = await new Promise<Finding>(resolve => {
        subject.probe.start(subject.passing, () => subject.probe.start(subject.passing, resolve))
      })
      expect(second.status).toBe('passing')
      await nothingLeft()
    })

    it('looks afresh where that is asked for, after an ordinary look and before one', async () => {
      for (const fresh of [false, true, true, false]) {
        expect((await look(subject.probe, { ...subject.passing, fresh })).status).toBe('passing')
      }
      await nothingLeft()
    })

    it('runs a crowd side by side', { timeout: 60_000 }, async () => {
      const crowd = Array.from({ length: subject.crowd ?? 1000 }, () => look(subject.probe, subject.passing))
      const findings = await Promise.all(crowd)
      expect(new Set(findings.map(({ status, reason }) => `${status} ${reason}`))).toEqual(
        new Set(['passing ']),
      )
      await nothingLeft()
    })

    it('leaves nothing of a crowd that is cancelled', { timeout: 60_000 }, async () => {
      let settled = 0
      const crowd = Array.from({ length: subject.crowd ?? 1000 }, (_, i) =>
        subject.probe.start({ ...subject.silent, fresh: i % 2 === 0 }, () => settled++),
      )
      await look(subject.probe, subject.passing)
      for (const running of crowd) running.cancel()
      await nothingLeft()
      expect(settled).toBe(0)
    })

    it('leaves no memory behind', { timeout: 120_000 }, async () => {
      const round = async (): Promise<void> => {
        for (let i = 0; i < (subject.crowd ?? 1000); i += 10) {
          const looks = Array.from({ length: 8 }, () => look(subject.probe, subject.passing))
          const given = Array.from({ length: 2 }, () => subject.probe.start(subject.silent, () => {}))
          await Promise.all(looks)
          for (const running of given) running.cancel()
        }
      }
      /** What is used once everything has ended that may still be ending. */
      const settled = async (): Promise<number> => {
        await round()
        await expect.poll(() => descriptors().length, { timeout: 10_000 }).toBeLessThan(before.length + 4)
        return heapBytes()
      }
      for (let i = 0; i < (subject.warmUp ?? 1); i++) await settled()
      const first = await settled()
      const later = [await settled(), await settled(), await settled()]
      // What leaks grows with every round; a closure (64 bytes) and what it holds, left by each probe, shows.
      const grown = Math.min(...later.slice(1)) - first
      expect(grown).toBeLessThan(150_000 + 2 * (subject.crowd ?? 1000) * 100)
      await nothingLeft()
    })

    it('closes with probes under way, twice, and does not throw afterwards', async () => {
      subject.probe.start(subject.silent, () => {}).cancel()
      await look(subject.probe, subject.passing)
      await Promise.all([subject.probe.close(), subject.probe.close()])
      subject.probe.start(subject.passing, () => {}).cancel()
      await nothingLeft()
    })
  })
}

/** The finding of one probe. */
export function look<Kind extends Check>(probe: Probe<Kind>, target: ProbeTarget<Kind>): Promise<Finding> {
  return new Promise((resolve, reject) => {
    let returned = false
    probe.start(target, finding => {
      if (returned) resolve(finding)
      else reject(new Error('settled within the call'))
    })
    returned = true
  })
}

/** Sockets, pipes and files that this process has open, and what each leads to. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      // It was the folder's own.
      return []
    }
  })
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new Error('no garbage collector to call')
  for (let i = 0; i < 3; i++) gc()
  return process.memoryUsage().heapUsed
}
