import fc from 'fast-check'
import type { Outgoing } from '../../packages/portolan/src/dns/codec/message.ts'
import { leastSize, readBack } from '../../packages/portolan/src/dns/codec/testing/dns-packet-reading.ts'
import { outgoing } from '../../packages/portolan/src/dns/codec/testing/outgoing.ts'
import { writeMessage } from '../../packages/portolan/src/dns/codec/write-message.ts'
import type { Fuzzer, Outcome } from './fuzzer.ts'

function outgoingOf(seed: number): Outgoing {
  const [sent] = fc.sample(outgoing, { numRuns: 1, seed })
  if (sent === undefined) throw new Error('no sample')
  return sent
}

function outcomeOf(sent: Outgoing): Outcome {
  const bytes = writeMessage(sent)
  const { answers, authority, additional } = readBack(sent, bytes)
  const larger = { ...sent, limit: sent.limit + 40 }
  const inMoreRoom = readBack(larger, writeMessage(larger))
  if (inMoreRoom.answers + inMoreRoom.authority + inMoreRoom.additional < answers + authority + additional)
    throw new Error('fewer records in more room')
  if (answers < sent.answers.length) return answers === 0 ? 'no answer fits' : 'some answers fit'
  if (authority < sent.authority.length) return 'all answers, not all of the authority section'
  if (additional < sent.additional.length) return 'all but additional records'
  return bytes.length === leastSize(sent) ? 'there was nothing to say' : 'all of it'
}

/** What we write, read by dns-packet. */
export const dnsAnswers: Fuzzer = {
  name: 'dns-answers',
  input: outgoingOf,
  run: seed => outcomeOf(outgoingOf(seed)),
  close: async () => {},
}
