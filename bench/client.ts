import { measureFetch } from '../packages/client/src/balanced/fetch.bench.ts'
import { type Bench, round } from './row.ts'

const rounds = 9000

/**
 * What the SDK's `fetch`, body read, adds to the p50 of a direct undici call, in µs; interleaved, one connection,
 * the server in a thread of its own. Beside `undici.request`, the leanest call that undici has: it gives no
 * `Response`. `undici.fetch`, which gives one as we do, stands in the detail.
 */
export const clientOverheadRow: Bench = async say => {
  say(`calling ${rounds} times each`)
  const { sdk, request, fetch } = await measureFetch(rounds)
  if (sdk === undefined || request === undefined || fetch === undefined) throw new Error('a kind is missing')
  return {
    row: 'client.overhead',
    value: round(sdk.p50 - request.p50, 1),
    unit: 'us',
    better: 'lower',
    peer: 'undici.request',
    detail: {
      atMost: 30,
      aim: 10,
      addedToUndiciFetch: round(sdk.p50 - fetch.p50, 1),
      sdk: { p50: round(sdk.p50, 1), p90: round(sdk.p90, 1) },
      undiciRequest: { p50: round(request.p50, 1), p90: round(request.p90, 1) },
      undiciFetch: { p50: round(fetch.p50, 1), p90: round(fetch.p90, 1) },
    },
  }
}
