import { isDraining } from '@portolan/core'
import { classes, types } from '../codec/codes.ts'
import type { Query } from '../codec/query.ts'
import type { Directory, KnownService } from '../directory/directory.ts'
import { instanceCalled } from '../names/matching.ts'
import type { Meaning, ServiceMeaning } from '../names/meaning.ts'
import { meaningOf, type Reading } from '../names/meaning-of.ts'
import { isReverse } from '../names/reverse.ts'
import { addressName, sayableAddresses, targetOf } from '../names/target.ts'
import type { DnsSettings } from '../settings.ts'
import { type Candidate, candidatesOf, sharedByLevels } from './candidates.ts'
import { addressAnswers, type Heading, srvAnswers, txtAnswers } from './instance-answers.ts'
import { addressRecord, anyRecord, familyOf, nameserverOf, plainAnswer, soaRecord } from './records.ts'
import type { Answer, Reply } from './reply.ts'

export type Question = Pick<Query, 'name' | 'type' | 'class'>

/** What answers are made of. */
export interface AnswerContext {
  readonly directory: Directory
  readonly settings: Pick<DnsSettings, 'domains' | 'ttl' | 'negativeTtl' | 'srvWeightScale'>
  /** IP literals at which this server is reached, none of them "any": what `ns.portolan` stands for. */
  readonly addresses: readonly string[]
}

/** A question that was understood. */
interface Asked {
  readonly question: Question
  readonly reading: Reading
  readonly heading: Heading
  readonly context: AnswerContext
}

/** `undefined`: there is no such name. None: it has no such records. */
type Found = readonly Answer[] | undefined

/**
 * What is to be answered to a question.
 * @returns `undefined` where the name is not ours: others are to be asked for it, or it is to be refused
 */
export function replyTo(question: Question, context: AnswerContext): Reply | undefined {
  const { directory, settings } = context
  const isOurClass = question.class === classes.IN || question.class === classes.ANY
  if (!isOurClass || question.type === types.AXFR || question.type === types.IXFR) {
    return { rcode: 'REFUSED', authoritative: false, answers: [], authority: [], source: directory }
  }
  const reading = meaningOf(question.name, settings.domains, directory)
  if (reading === undefined) {
    // Until we know who there is, nobody else is to deny that an address is ours.
    return directory.ready || !isReverse(question.name) ? undefined : failure(directory)
  }
  if (!directory.ready && reading.meaning.kind !== 'apex' && reading.meaning.kind !== 'nameserver') {
    return failure(directory)
  }
  const heading = { name: question.name, ttl: settings.ttl }
  return replyOf({ question, reading, heading, context })
}

/** Names of addresses and machines: whose instances they stand for is not looked up again. */
const namesAnybody: ReadonlySet<Meaning['kind']> = new Set(['address', 'reverse', 'host'])

function failure(source: Directory): Reply {
  return { rcode: 'SERVFAIL', authoritative: false, answers: [], authority: [], source }
}

function replyOf(asked: Asked): Reply {
  const { known, meaning, source } = asked.reading
  const found = answersTo(asked)
  const reply = {
    rcode: found === undefined ? ('NXDOMAIN' as const) : ('NOERROR' as const),
    authoritative: true,
    source,
  }
  if (found === undefined || found.length === 0)
    return { ...reply, answers: [], authority: [soa(asked, true)] }
  const named = known ?? (namesAnybody.has(meaning.kind) ? asked.context.directory : undefined)
  return { ...reply, answers: found, authority: [], ...(named === undefined ? {} : { named }) }
}

function answersTo(asked: Asked): Found {
  const { reading } = asked
  const { meaning, known } = reading
  switch (meaning.kind) {
    case 'nothing':
      return undefined
    case 'empty':
      return []
    case 'apex':
      return zoneAnswers(asked)
    case 'nameserver':
      return addressesOf(asked, asked.context.addresses)
    case 'service':
      return known === undefined ? undefined : serviceAnswers(asked, meaning, known)
    case 'instance':
      return known === undefined ? undefined : instanceAnswers(asked, meaning.id, known)
    case 'address':
      return isKnown(asked, meaning.ip) ? addressesOf(asked, [meaning.ip]) : undefined
    case 'reverse':
      return asked.question.type === types.PTR ? pointers(asked, meaning.ip) : zoneAnswers(asked)
    case 'host':
      return hostAnswers(asked, meaning.host)
  }
}

function serviceAnswers(anyhow: Asked, meaning: ServiceMeaning, known: KnownService): Found {
  const candidates = candidatesOf(known, meaning)
  if (candidates.usable.length === 0) return anyhow.reading.domain.style === 'consul' ? undefined : []
  const asked = fleetingOf(anyhow, candidates.usable)
  const { heading, question } = asked
  switch (question.type) {
    case types.A:
      return addressAnswers(heading, 'A', sharedByLevels(candidates))
    case types.AAAA:
      return addressAnswers(heading, 'AAAA', sharedByLevels(candidates))
    default:
      return recordsOf(asked, candidates.usable, meaning)
  }
}

/** One instance by its own name, whether it may be picked or not: whoever asks was told of it before. */
function instanceAnswers(anyhow: Asked, id: string, known: KnownService): Found {
  const instance = instanceCalled(known.set, id)
  if (instance === undefined) return undefined
  const candidates = [{ instance, weight: 1 }]
  const asked = fleetingOf(anyhow, candidates)
  const { heading, question } = asked
  if (question.type === types.A) return addressAnswers(heading, 'A', candidates)
  if (question.type === types.AAAA) return addressAnswers(heading, 'AAAA', candidates)
  return recordsOf(asked, candidates, {})
}

/**
 * Who drains is named by its own name, or because nobody else is left, and stops without waiting for those who were told so
 * (see `directory/letting-go.ts`): they are not to keep it, and ask again.
 */
function fleetingOf(asked: Asked, candidates: readonly Candidate[]): Asked {
  if (!candidates.some(({ instance }) => isDraining(instance))) return asked
  return { ...asked, heading: { ...asked.heading, ttl: 0 } }
}

function recordsOf(
  asked: Asked,
  candidates: readonly Candidate[],
  { port }: Pick<ServiceMeaning, 'port'>,
): Found {
  const { heading, question, reading, context } = asked
  const { type } = question
  if (type === types.TXT) return txtAnswers(heading, candidates)
  if (type === types.SRV) {
    const { domain } = reading
    return srvAnswers(heading, candidates, { domain, port, weightScale: context.settings.srvWeightScale })
  }
  return others(asked)
}

/** What there is of all other types. */
function others({ question, heading }: Asked): Found {
  return question.type === types.ANY ? [plainAnswer(anyRecord(heading.name, heading.ttl))] : []
}

function addressesOf(asked: Asked, addresses: readonly string[]): Found {
  const { heading } = asked
  const { type } = asked.question
  const family = type === types.A ? 'A' : type === types.AAAA ? 'AAAA' : undefined
  if (family === undefined) return addresses.length === 0 ? [] : others(asked)
  return addresses
    .filter(address => familyOf(address) === family)
    .map(address => plainAnswer(addressRecord(heading.name, address, heading.ttl)))
}

function hostAnswers(asked: Asked, host: string): Found {
  const instances = asked.context.directory.hosted(host)
  if (instances.length === 0) return undefined
  return addressesOf(asked, [...new Set(instances.flatMap(sayableAddresses))])
}

function isKnown({ context }: Asked, ip: string): boolean {
  return context.directory.addressed(ip).some(instance => sayableAddresses(instance).includes(ip))
}

/** Every instance that has the address, by its name. */
function pointers({ heading, reading, context }: Asked, ip: string): Found {
  const instances = context.directory
    .addressed(ip)
    .filter(instance => sayableAddresses(instance).includes(ip))
  const { domain } = reading
  const targets = new Set(
    instances.map(instance => targetOf(instance, domain, ip) ?? addressName(ip, domain)),
  )
  return [...targets].flatMap(target =>
    target === undefined ? [] : [plainAnswer({ type: 'PTR', name: heading.name, ttl: heading.ttl, target })],
  )
}

/** What a zone says of itself. */
function zoneAnswers(asked: Asked): Found {
  const { question, heading, context, reading } = asked
  switch (question.type) {
    case types.SOA:
      return [plainAnswer(soa(asked, false))]
    case types.NS: {
      const target = nameserverOf(reading.domain.name)
      const additional = context.addresses.map(address => addressRecord(target, address, heading.ttl))
      return [plainAnswer({ type: 'NS', name: heading.name, ttl: heading.ttl, target }, additional)]
    }
    default:
      return others(asked)
  }
}

function soa({ question, reading: { domain, meaning }, context }: Asked, isNegative: boolean) {
  const { ttl, negativeTtl } = context.settings
  return soaRecord({
    origin: meaning.kind === 'reverse' ? question.name : domain.name,
    domain: domain.name,
    version: context.directory.version,
    ttl: isNegative ? negativeTtl : ttl,
    negativeTtl,
  })
}
