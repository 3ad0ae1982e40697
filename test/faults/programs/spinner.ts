// Keeps its processor busy for SHARE of the time: `spinner 0.95`. Pin it to the processor that is to be loaded.
import { monotonicMs } from '../monotonic.ts'
import { obey } from './control.ts'

const share = Number(process.argv[2] ?? 0.95)
const turnMs = 100
obey({})
process.stdout.write('ready\n')
setInterval(() => {
  const until = monotonicMs() + turnMs * share
  while (monotonicMs() < until);
}, turnMs)
