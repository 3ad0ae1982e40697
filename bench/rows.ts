import { clientOverheadRow } from './client.ts'
import { fanoutRow } from './fanout/fanout.ts'
import { proxyRow } from './proxy.ts'
import { memoryServerRow } from './registry/memory.ts'
import type { Bench } from './row.ts'

/** Every row that can be measured, by name. */
export const rows: Readonly<Record<string, Bench>> = {
  'proxy.small': proxyRow('small'),
  'proxy.headers': proxyRow('headers'),
  'proxy.16k': proxyRow('16k'),
  'proxy.post': proxyRow('post'),
  'client.overhead': clientOverheadRow,
  'registry.fanout': fanoutRow,
  'memory.server': memoryServerRow,
}
