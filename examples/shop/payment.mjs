import { serve } from './serve.mjs'

// A payment asks the cart what is to be paid.
await serve(async (request, portolan) => {
  const response = await portolan.service('cart').fetch(`/carts${request.url}`)
  return { paid: true, cart: await response.json() }
})
