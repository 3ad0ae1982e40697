import { createSecureContext, type SecureContext } from 'node:tls'

/** Made once, when it is first needed: reading the trusted certificates costs more than a hundred probes. */
export function secureContext(ca: string | undefined): () => SecureContext {
  let context: SecureContext | undefined
  return () => {
    context ??= createSecureContext(ca === undefined ? {} : { ca })
    return context
  }
}
