import { race } from '@portolan/core'
import { unprobeable } from './findings.ts'
import type { Finding } from './probe.ts'
import { settleSoon } from './settle-soon.ts'
import { missingZone } from './zone.ts'

/** How long the preferred address may take before the next is looked at beside it. */
const headStartMs = 50

/** One look at one address. Settles once, never within the call; returns how to break it off. */
export type LookAt = (address: string, settle: (finding: Finding) => void) => () => void

/**
 * Looks at the addresses of one instance until somebody answers at one of them: the next is looked at when one fails,
 * or beside it after a head start. It is refused only when every address refuses. Returns how to break it off.
 */
export function lookAtEach(
  addresses: readonly string[],
  look: LookAt,
  settle: (finding: Finding) => void,
): () => void {
  const [only] = addresses
  const lookAt: LookAt = (address, found) => {
    const zone = missingZone(address)
    if (zone === undefined) return look(address, found)
    return settleSoon(unprobeable(`${address}: no such interface or address`), found).cancel
  }
  if (addresses.length === 1 && only !== undefined) return lookAt(only, settle)
  const failed: Finding[] = []
  return race<Finding>({
    addresses,
    headStartMs,
    start: (address, answered, unanswered) =>
      lookAt(address, finding => {
        if (finding.presence === 'answered' || finding.presence === 'spoke') {
          answered(finding)
          return
        }
        failed.push(finding)
        unanswered(noAnswer)
      }),
    after(ms, run) {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    won: settle,
    lost: () => settle(together(failed)),
  })
}

const noAnswer = new Error('no answer')

/** What they prove together: what proves least wins. */
function together(findings: readonly Finding[]): Finding {
  const silent = findings.find(({ presence }) => presence === 'silent')
  const finding = findings.find(({ inconclusive }) => inconclusive) ?? silent ?? findings[0]
  if (finding === undefined) throw new Error('nobody was looked at')
  return finding
}
