import { expect, it } from 'vitest'
import { describeInNamespaces } from '../faults/namespaced.ts'
import { registryCut } from '../outage/cut.ts'

/** The full size, 60 s and 200 instances, is `npm run bench -- outage.cut`. */
const cutMs = Number(process.env.PORTOLAN_CUT_MS ?? 10_000)

describeInNamespaces('a registry that is cut off from every instance', () => {
  it('loses none that lives, no request, and whoever died within a second of being joined again', {
    timeout: cutMs + 120_000,
  }, async () => {
    const found = await registryCut({ instances: 24, dying: 4, cutMs, rate: 100 })
    const { registrySaid, gatewayMetrics, ...figures } = found
    console.info(JSON.stringify(figures))
    expect(found.kept).toBe(24)
    expect(found.liveRemoved).toEqual([])
    expect(found.newRuns).toEqual([])
    expect(found.requests.gateway.failed + found.requests.sdk.failed).toBe(0)
    expect(found.requests.gateway.answered).toBeGreaterThan((cutMs / 1000) * 50)
    expect(found.deadGoneAfterMs).toBeLessThan(1500)
    expect(gatewayMetrics).toContain('portolan_gateway_panic{service="echo"} 0')
  })
})
