import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { type Processes, root } from './processes.ts'

export interface Shop {
  readonly file: string
  readonly data: string
  readonly api: string
  readonly gateway: string
  readonly args: readonly string[]
}

/** The shop of examples/shop on ports of its own. `rate` 0 leaves the visitors at home. */
export async function shopConfig(processes: Processes, { rate = 50, orders = 3 } = {}): Promise<Shop> {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const script = (name: string): string => join(root, 'examples/shop', name)
  const gatewayUrl = `http://127.0.0.1:${gateway}`
  const visitors = `
  visitors:
    run:
      command: [node, ${script('visitors.mjs')}]
      console: true
      env: { SHOP_GATEWAY: "${gatewayUrl}", SHOP_RATE: "${rate}" }`
  const directory = processes.directory()
  const file = processes.file(
    'portolan.yaml',
    `api: { listen: ["127.0.0.1:${api}"] }
gateway:
  listen: 127.0.0.1:${gateway}
  admin: 127.0.0.1:${admin}
  routes:
    - match: { path: /orders }
      service: order
services:
  order: { run: { command: [node, ${script('order.mjs')}], replicas: ${orders} } }
  payment: { run: { command: [node, ${script('payment.mjs')}], replicas: 2 } }
  cart: { run: { command: [node, ${script('cart.mjs')}], replicas: 2 } }${rate > 0 ? visitors : ''}
`,
    directory,
  )
  const data = join(directory, 'data')
  return {
    file,
    data,
    api: `http://127.0.0.1:${api}`,
    gateway: gatewayUrl,
    args: ['--config', file, '--data', data],
  }
}

interface ListedInstance {
  readonly id: string
  readonly causes: readonly { readonly kind: string }[]
  readonly incarnation: number
  readonly metadata: Readonly<Record<string, string>>
}

export async function instancesOf(api: string, service: string): Promise<readonly ListedInstance[]> {
  const response = await fetch(`${api}/api/v1/services/${service}/instances`)
  const body = (await response.json()) as { instances?: readonly ListedInstance[] }
  return body.instances ?? []
}

export async function healthyOf(api: string, service: string): Promise<readonly ListedInstance[]> {
  return (await instancesOf(api, service)).filter(instance => instance.causes.length === 0)
}
