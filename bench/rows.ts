import { balanceRealRow } from './balance/real.ts'
import { balanceEqualRow, balanceSkewRow } from './balance/simulated.ts'
import { clientOverheadRow } from './client.ts'
import { proxyIdleRow } from './crowd/idle.ts'
import { proxyLorisRow } from './crowd/loris.ts'
import { deployFailedRow } from './deploy/replacement.ts'
import { detectFalseRow } from './detect/false.ts'
import { detectDropRow, detectHangRow, detectKillRow } from './detect/faults.ts'
import { detectPausesRow } from './detect/pauses.ts'
import { dnsDeployRow } from './dns/deploy.ts'
import { dnsFloodRow } from './dns/flood.ts'
import { dnsKillRow } from './dns/kill.ts'
import { dnsProcessRow } from './dns/process.ts'
import { dnsRow } from './dns/queries.ts'
import { dnsWideRow } from './dns/wide.ts'
import { fanoutRow } from './fanout/fanout.ts'
import { healthBudgetRow } from './health/budget.ts'
import { healthChecksRow } from './health/checks.ts'
import { healthCostRow } from './health/cost.ts'
import { outageCutRow } from './outage/cut.ts'
import { outageBackRow, outageFailedRow } from './outage/outage.ts'
import { pickRow } from './pick.ts'
import { proxyRow } from './proxy.ts'
import { proxyFiltersRow } from './proxy-filters.ts'
import { proxyP99Row } from './proxy-p99.ts'
import { proxyStormRow } from './proxy-storm.ts'
import { proxyRatelimitRow } from './rate/ratelimit.ts'
import { memoryServerRow } from './registry/memory.ts'
import { registerRow } from './registry/register.ts'
import type { Bench } from './row.ts'
import { proxySoakRow } from './soak/soak.ts'
import { proxyTunnelsRow } from './soak/tunnels.ts'

/** Every row that can be measured, by name. */
export const rows: Readonly<Record<string, Bench>> = {
  'proxy.small': proxyRow('small'),
  'proxy.headers': proxyRow('headers'),
  'proxy.16k': proxyRow('16k'),
  'proxy.post': proxyRow('post'),
  'proxy.churn': proxyRow('churn'),
  'proxy.p99': proxyP99Row,
  'proxy.filters': proxyFiltersRow,
  'proxy.idle': proxyIdleRow,
  'proxy.loris': proxyLorisRow,
  'proxy.ratelimit': proxyRatelimitRow,
  'proxy.soak': proxySoakRow,
  'proxy.storm': proxyStormRow,
  'proxy.tunnels': proxyTunnelsRow,
  'dns.hot': dnsRow('hot'),
  'dns.churn': dnsRow('churn'),
  'dns.wide': dnsWideRow,
  'dns.kill': dnsKillRow,
  'dns.deploy': dnsDeployRow,
  'dns.process': dnsProcessRow,
  'dns.flood': dnsFloodRow,
  'client.overhead': clientOverheadRow,
  'pick.round-robin': pickRow('round-robin'),
  'pick.random': pickRow('random'),
  'pick.least-request': pickRow('least-request'),
  'pick.ring-hash': pickRow('ring-hash'),
  'pick.maglev': pickRow('maglev'),
  'pick.peak-ewma': pickRow('peak-ewma'),
  'pick.adaptive': pickRow('adaptive'),
  'pick.forecast-weighted': pickRow('forecast-weighted'),
  'balance.skew': balanceSkewRow,
  'balance.equal': balanceEqualRow,
  'balance.real': balanceRealRow,
  'detect.kill': detectKillRow,
  'detect.hang': detectHangRow,
  'detect.drop': detectDropRow,
  'detect.false': detectFalseRow,
  'detect.pauses': detectPausesRow,
  'health.cost': healthCostRow,
  'health.budget': healthBudgetRow,
  'health.checks': healthChecksRow,
  'deploy.failed': deployFailedRow,
  'outage.failed': outageFailedRow,
  'outage.back': outageBackRow,
  'outage.cut': outageCutRow,
  'registry.register': registerRow,
  'registry.fanout': fanoutRow,
  'memory.server': memoryServerRow,
}
