import { serve } from './serve.mjs'

await serve(async () => ({ items: [{ name: 'compass', price: 42 }] }))
