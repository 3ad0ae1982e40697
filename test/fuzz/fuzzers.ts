import { openAnswers } from './answers.ts'
import { dnsAnswers } from './dns-answers.ts'
import { dnsMessages } from './dns-messages.ts'
import { dnsUpstreams } from './dns-upstreams.ts'
import type { Fuzzer } from './fuzzer.ts'
import { requests } from './requests.ts'
import { splits } from './splits.ts'
import { openThrough } from './through.ts'

/** By name: how to open it, and how many seeds are tried on every run of the tests. */
export const fuzzers: Readonly<Record<string, { open(): Promise<Fuzzer>; readonly usual: number }>> = {
  splits: { open: async () => splits, usual: 100_000 },
  requests: { open: async () => requests, usual: 150_000 },
  through: { open: openThrough, usual: 20_000 },
  answers: { open: openAnswers, usual: 25_000 },
  'dns-messages': { open: async () => dnsMessages, usual: 60_000 },
  'dns-answers': { open: async () => dnsAnswers, usual: 4_000 },
  'dns-upstreams': { open: async () => dnsUpstreams, usual: 60_000 },
}
