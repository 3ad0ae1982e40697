import { z } from 'zod'
import { name, said } from '../scalars.ts'

export const verbs = ['read', 'register', 'admin'] as const

const scope = (what: string) =>
  z
    .array(name)
    .min(1)
    .max(1000)
    .optional()
    .describe(`Only these ${what}.`)
    .meta({ unset: `all ${what}` })

const token = z.strictObject({
  name: z
    .string()
    .regex(
      /^(?!anonymous$)[A-Za-z0-9._:/@-]{1,200}$/,
      said('not a token name', 'letters, digits and ._:/@-, and not "anonymous"'),
    )
    .describe('Whose token it is: the owner of what it registers.'),
  sha256: z
    .string()
    .regex(
      /^[0-9a-fA-F]{64}$/,
      said('not a SHA-256', '`portolan token create NAME --offline` prints secret and hash'),
    )
    .transform(hash => hash.toLowerCase())
    .describe('SHA-256 of the secret, in hex. The secret itself never stands in this file.'),
  verbs: z
    .array(z.enum(verbs))
    .min(1)
    .max(verbs.length)
    .describe('What it may do: `read`, `register`, `admin` (which includes the others).'),
  namespaces: scope('namespaces'),
  services: scope('services'),
  expires: z.iso
    .datetime({
      offset: true,
      error: said('not a time', 'write 2027-01-31T00:00:00Z'),
    })
    .optional()
    .describe('When it stops being good.')
    .meta({ unset: 'never' }),
})

export const authSection = z
  .strictObject({
    anonymous: z
      .enum(['admin', 'read', 'none'])
      .optional()
      .describe('What callers without a token may do.')
      .meta({
        unset: '`admin` while the API listens on loopback only, else `none`',
      }),
    tokens: z
      .array(token)
      .max(1000)
      .default([])
      .describe('Tokens beside those that `portolan token` keeps in the store.'),
  })
  .prefault({})
  .describe('Who may call the API.')
