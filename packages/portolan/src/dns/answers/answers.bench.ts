import { seededRandom } from '@portolan/core'
import { bench, describe } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { drawOrder } from './order.ts'
import { outgoingOf } from './outgoing.ts'
import { ask, queryFor, sending } from './testing/ask.ts'

/** Made anew after each change of the service. */
describe.each([5, 100, 3000])('of %d instances', count => {
  const directory = givenDirectory(
    Array.from({ length: count }, (_, index) =>
      instanceOf('order', `order-${index}`, 8080, {
        addresses: [`10.1.${index >> 8}.${index & 255}`],
        weight: 1 + (index % 3),
      }),
    ),
  )
  const reply = ask(directory, 'order.portolan', 'SRV')
  if (reply === undefined) throw new Error('no reply')
  const random = seededRandom(1)
  const query = queryFor('order.portolan', 1232)

  bench('a reply with addresses', () => void ask(directory, 'order.portolan'))
  bench('a reply with SRV', () => void ask(directory, 'order.portolan', 'SRV'))
  bench('a reply with SRV for consul', () => void ask(directory, 'order.service.consul', 'SRV'))
  bench('an order of those that fit', () => void drawOrder(reply.answers, random, 70))
  bench('an order of all', () => void drawOrder(reply.answers, random))
  bench('what goes out', () => void outgoingOf(reply, query, sending))
})
