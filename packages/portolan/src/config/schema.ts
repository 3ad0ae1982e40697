import { z } from 'zod'
import { alertsSection } from './sections/alerts.ts'
import { apiSection } from './sections/api.ts'
import { authSection } from './sections/auth.ts'
import { dnsSection } from './sections/dns.ts'
import { gatewaySection } from './sections/gateway.ts'
import { healthSection } from './sections/health.ts'
import { registrySection } from './sections/registry.ts'
import { servicesSection } from './sections/services.ts'

/**
 * The whole of `portolan.yaml`: types, checks, defaults and the texts of its documentation. Everything else about
 * the file (JSON Schema, docs page, "did you mean") is derived from here.
 */
export const configSchema = z.strictObject({
  api: apiSection,
  data: z
    .string()
    .min(1)
    .optional()
    .describe('Folder for what must survive restarts, from the file’s own folder.')
    .meta({
      unset: '`.portolan` beside the file; without a file in the working directory',
    }),
  auth: authSection,
  registry: registrySection,
  health: healthSection,
  gateway: gatewaySection,
  dns: dnsSection,
  services: servicesSection,
  alerts: alertsSection,
})

/** A checked configuration: every default filled in, durations in milliseconds, addresses taken apart. */
export type Config = z.output<typeof configSchema>
export type ServiceConfig = Config['services'][string]
