import { timeOuts } from '../../packages/portolan/src/health/probes/testing/time-outs.ts'

// Script checks that hang, fork, leave their process group and print megabytes, and all time out: what is left?
//   node --import tsx --conditions=portolan-source bench/health/script-timeouts.ts [CHECKS] [TIMEOUT_MS]
const [checks = '10000', timeoutMs = '100'] = process.argv.slice(2)
const found = await timeOuts({
  checks: Number(checks),
  timeoutMs: Number(timeoutMs),
  concurrency: 16,
  say: progress => console.error(`  ${progress}`),
})
console.log(JSON.stringify(found))
process.exit(found.leaked + found.leakedAfterClose === 0 ? 0 : 1)
