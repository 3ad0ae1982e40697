import type { Command } from './command.ts'
import { check } from './commands/check.ts'
import { dns } from './commands/dns.ts'
import { doctor } from './commands/doctor.ts'
import { drain } from './commands/drain.ts'
import { instances } from './commands/instances.ts'
import { lb } from './commands/lb.ts'
import { override } from './commands/override.ts'
import { resolve } from './commands/resolve.ts'
import { run } from './commands/run.ts'
import { services } from './commands/services.ts'
import { simulate } from './commands/simulate.ts'
import { tokenCreate } from './commands/token-create.ts'
import { tokenList } from './commands/token-list.ts'
import { tokenRevoke } from './commands/token-revoke.ts'
import { up } from './commands/up.ts'
import { watch } from './commands/watch.ts'
import { why } from './commands/why.ts'

/** Every command, in the order in which help and docs/cli.md show them. To add one, add it here. */
export const commands: readonly Command[] = [
  up,
  run,
  lb,
  dns,
  services,
  instances,
  why,
  watch,
  resolve,
  drain,
  override,
  tokenCreate,
  tokenList,
  tokenRevoke,
  check,
  simulate,
  doctor,
]
