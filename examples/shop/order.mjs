import { serve } from './serve.mjs'

// An order asks for its payment, over the library: balanced, pooled, retried within a budget.
await serve(async (request, portolan) => {
  const response = await portolan.service('payment').fetch(`/payments${request.url}`)
  return { order: request.url, payment: await response.json() }
})
