import type { ScriptCheck } from '@portolan/core'
import type { ProbeTarget } from './probe.ts'
import { scriptProbe } from './script.ts'
import { probeContract } from './testing/probe-contract.ts'
import { openScripts, probedInstance, processesWith, scriptCheck, zombies } from './testing/scripts.ts'

const mark = `8${process.pid}77`

function target(...command: [string, ...string[]]): ProbeTarget<ScriptCheck> {
  return { instance: probedInstance, check: scriptCheck(command), fresh: false }
}

probeContract('script', async () => {
  const scripts = openScripts()
  return {
    probe: scriptProbe({ env: process.env }),
    passing: target('/bin/true'),
    proves: 'silent',
    silent: target('/bin/sh', '-c', `setsid sleep ${mark} & sleep ${mark}`),
    failing: target('/bin/sh', '-c', 'exit 2'),
    odd: [
      [target('/no/such/check.sh'), /is not there/],
      [target(scripts.folder), /is a folder/],
      [target(scripts.write('exit 0', 0o600)), /is not executable/],
      [target('/bin/true', 'x'.repeat(200_000)), /its arguments are too long/],
      [target('/bin/true', 'a\0b'), /could not be started/],
    ],
    // Fewer than run at a time: those that wait for their turn are no silent ones.
    crowd: 12,
    leftovers: () => processesWith(mark).length + zombies().length,
    close: async () => scripts.remove(),
  }
})
