import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import type { RouteTable } from '@portolan/core'
import { afterEach } from 'vitest'
import type { FilterEntry } from '../filters/filters.ts'
import type { GatewaySettings } from '../settings.ts'
import { gatewayFor, httpUpstream, Opened, RawClient, rawUpstream, type TestGateway } from './harness.ts'

/** What the tests of a file open: all of it ends with the test. */
export function fixture() {
  const opened = new Opened()
  afterEach(() => opened.close())
  return openings(opened)
}

/** Opens into `opened`. For tests that run at the same time: each closes its own. */
export function openings(opened: Opened) {
  return {
    opened,
    /** See {@link gatewayFor}. */
    gatewayFor: (
      ports: readonly number[],
      settings?: Partial<GatewaySettings>,
      routes?: RouteTable,
      filters?: readonly FilterEntry[],
    ): Promise<TestGateway> => gatewayFor(opened, ports, settings, routes, filters),
    /** See {@link httpUpstream}. */
    httpUpstream: (listener: RequestListener) => httpUpstream(opened, listener),
    /** See {@link rawUpstream}. */
    rawUpstream: (onData: (socket: Socket, text: string) => void, host?: string, port?: number) =>
      rawUpstream(opened, onData, host, port),
    /** A client of the gateway at that port. */
    clientOf: (port: number): RawClient => new RawClient(opened, port),
  }
}
