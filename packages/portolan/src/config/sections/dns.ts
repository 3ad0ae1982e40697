import { type HostPort, toFault } from '@portolan/core'
import { z } from 'zod'
import { dnsLimits, domainShape } from '../dns-limits.ts'
import { parseResolverAddress } from '../resolver-address.ts'
import { described, duration, durationOrNone, listenAddress, network, oneOrMany, said } from '../scalars.ts'

const domain = z
  .string()
  .regex(
    domainShape,
    said('not a domain', 'write lower-case labels without the last dot: portolan, or svc.example.com'),
  )
  .refine(name => name !== 'none', said('`none` is no domain', 'for no domains of Consul: consulDomains: []'))

const forwardWords = ['none', 'system'] as const

type ForwardWord = (typeof forwardWords)[number]

const resolver = z
  .string({
    error: issue =>
      said(`${described(issue.input)} is not the address of a resolver`, 'write 10.0.0.2, system or none'),
  })
  .transform((text, context): HostPort | ForwardWord => {
    const word = forwardWords.find(known => known === text)
    if (word !== undefined) return word
    try {
      return parseResolverAddress(text)
    } catch (thrown) {
      const { message, hint } = toFault(thrown)
      context.addIssue({ code: 'custom', message: said(message, hint) })
      return z.NEVER
    }
  })

const wholeSeconds = durationOrNone
  .refine(ms => ms % 1000 === 0, said('DNS counts whole seconds', 'write 1s, 5s or none'))
  .refine(
    ms => ms <= dnsLimits.longestTtlMs,
    said('DNS answers are kept for a day at most', 'write 1s, 5s, 24h or none'),
  )

export const dnsSection = z
  .strictObject({
    listen: oneOrMany(listenAddress, 16)
      .optional()
      .describe('Where DNS listens, over UDP and TCP: one address or a list.')
      .meta({ unset: '127.0.0.1:7453 and, where present, [::1]:7453' }),
    admin: listenAddress
      .prefault('127.0.0.1:7482')
      .describe('Where its own /metrics, /healthz and /readyz listen.'),
    domains: z
      .array(domain)
      .min(1)
      .max(16)
      .default(['portolan'])
      .describe('The domains that services are called in: `order.portolan`.'),
    consulDomains: z
      .array(domain)
      .max(16)
      .default(['consul'])
      .describe('Domains in which names have the forms of Consul: `order.service.consul`.'),
    ttl: wholeSeconds
      .prefault('1s')
      .describe(
        'How long an answer may be kept, in whole seconds, a day at most; `none`: not at all. Drains wait for it: whoever has an answer goes by it.',
      ),
    negativeTtl: wholeSeconds
      .prefault('1s')
      .describe('How long "there is none" may be kept at most, in whole seconds, up to a day.'),
    srvWeightScale: z
      .int()
      .min(1)
      .max(65_535)
      .default(1)
      .describe(
        'What weights in SRV records are multiplied by. HAProxy divides them by 256: write 256 for it.',
      ),
    udpSize: z
      .int()
      .min(512)
      .max(4096)
      .default(1232)
      .describe(
        'The largest answer over UDP, in bytes, for clients that take as much; what does not fit goes by TCP.',
      ),
    trusted: z
      .array(network)
      .max(1000)
      .optional()
      .describe(
        'Whose addresses are believed over UDP. All others get no answer above ten times their question unless they prove that they are there, and only so many.',
      )
      .meta({ unset: 'loopback, private and link-local networks' }),
    forward: oneOrMany(resolver, 8)
      .prefault('none')
      .describe(
        'Who is asked for all other names, one after the other: addresses of resolvers (port 53 where none is said), `system` for those of /etc/resolv.conf, `none` to refuse.',
      ),
    forwardTimeout: duration
      .refine(
        ms => ms <= dnsLimits.longestForwardTimeoutMs,
        said('at most a minute', 'clients give up after a few seconds: write 3s'),
      )
      .prefault('3s')
      .describe('How long those may take, all together; a minute at most.'),
    forwardCache: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(10_000)
      .describe('How many of their answers are kept, at most.'),
  })
  .superRefine(({ domains, consulDomains }, context) => {
    const at = consulDomains.findIndex(name => domains.includes(name))
    if (at === -1) return
    const message = said(
      `${consulDomains[at]} is in domains, too`,
      'names in one domain have one form: leave it out of one of the lists',
    )
    context.addIssue({ code: 'custom', path: ['consulDomains', at], message })
  })
  .prefault({})
  .describe('DNS: services by name, for everything that speaks it.')
