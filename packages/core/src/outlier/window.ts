import type { Endpoint } from '../balance/picker.ts'
import type { EjectionReason, Tally } from '../balance/tally.ts'
import type { Milliseconds } from '../time/clock.ts'
import { latencyCeiling, successFloor } from './compare.ts'
import type { OutlierSettings } from './settings.ts'

/** What is left of the window after so long. */
export function keptAfter(overMs: Milliseconds, { windowMs }: OutlierSettings): number {
  return Math.exp(-overMs / windowMs)
}

/** Takes what was counted since the last time into the window, of which `kept` is left. */
export function roll(tally: Tally, kept: number): void {
  const { window, rolled } = tally
  window.ok = window.ok * kept + (tally.ok - rolled.ok)
  window.failed = window.failed * kept + (tally.failed - rolled.failed)
  window.okMs = window.okMs * kept + (tally.okMs - rolled.okMs)
  catchUp(tally)
}

/** What lies before an ejection must not count against the instance when it is back. */
export function forget(tally: Tally): void {
  const { window } = tally
  window.ok = 0
  window.failed = 0
  window.okMs = 0
  catchUp(tally)
}

function catchUp({ rolled, ok, failed, okMs }: Tally): void {
  rolled.ok = ok
  rolled.failed = failed
  rolled.okMs = okMs
}

export interface StandsOut {
  readonly endpoint: Endpoint
  readonly reason: Extract<EjectionReason, 'success-rate' | 'latency'>
}

/** Those who do worse than their peers, the worst first: whose turn comes when only some may go. */
export function standingOut(endpoints: readonly Endpoint[], settings: OutlierSettings): readonly StandsOut[] {
  const { enoughPeers } = settings
  const measured = endpoints.filter(
    ({ tally: { window } }) => window.ok + window.failed >= settings.enoughRequests,
  )
  if (measured.length < enoughPeers || measured.length < 2) return []
  return [...failing(measured, settings), ...slow(measured, settings)]
}

function failing(measured: readonly Endpoint[], settings: OutlierSettings): readonly StandsOut[] {
  if (settings.successDeviations <= 0) return []
  const floor = successFloor(measured.map(rateOf), settings.successDeviations, settings.successMargin)
  return measured
    .filter(endpoint => rateOf(endpoint) < floor)
    .sort((a, b) => rateOf(a) - rateOf(b))
    .map(endpoint => ({ endpoint, reason: 'success-rate' }))
}

function slow(measured: readonly Endpoint[], settings: OutlierSettings): readonly StandsOut[] {
  if (settings.latencyFactor <= 0) return []
  const timed = measured.filter(({ tally }) => tally.window.ok >= settings.enoughRequests)
  if (timed.length < settings.enoughPeers) return []
  const ceiling = latencyCeiling(timed.map(meanMs), settings.latencyFactor, settings.latencyMarginMs)
  return timed
    .filter(endpoint => meanMs(endpoint) > ceiling)
    .sort((a, b) => meanMs(b) - meanMs(a))
    .map(endpoint => ({ endpoint, reason: 'latency' }))
}

function rateOf({ tally: { window } }: Endpoint): number {
  return window.ok / (window.ok + window.failed)
}

function meanMs({ tally: { window } }: Endpoint): number {
  return window.okMs / window.ok
}
