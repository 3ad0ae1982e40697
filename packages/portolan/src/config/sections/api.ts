import { z } from 'zod'
import { listenAddress, oneOrMany } from '../scalars.ts'

export const apiSection = z
  .strictObject({
    listen: oneOrMany(listenAddress, 16)
      .optional()
      .describe('Where the HTTP API listens, one address or a list.')
      .meta({ unset: '127.0.0.1:7400 and, where present, [::1]:7400' }),
    names: z
      .array(z.string().min(1).max(253))
      .max(64)
      .default([])
      .describe('Names by which clients may call the API, beside IP literals and localhost. Others get 421.'),
    tls: z
      .strictObject({
        cert: z.string().min(1).describe('PEM file of the certificate chain, from the file’s own folder.'),
        key: z.string().min(1).describe('PEM file of the private key, from the file’s own folder.'),
      })
      .optional()
      .describe('Serve the API over TLS. Required beyond loopback, unless `insecure`.'),
    insecure: z
      .boolean()
      .default(false)
      .describe('Listen beyond loopback without TLS: tokens and data then travel readable by others.'),
  })
  .prefault({})
  .describe('The HTTP API, and everything else on its port.')
