// Stops another process and forgets to let it go: `stopper PID`.
import { stop } from '../signals.ts'
import { obey } from './control.ts'

obey({})
stop(Number(process.argv[2]))
process.stdout.write('stopped\n')
setInterval(() => {}, 1000)
