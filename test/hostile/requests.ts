import type { Corpus, RequestCase } from './case.ts'
import { chunks } from './requests/chunks.ts'
import { endings } from './requests/endings.ts'
import { hosts } from './requests/hosts.ts'
import { lengths } from './requests/lengths.ts'
import { lines } from './requests/lines.ts'
import { paths } from './requests/paths.ts'
import { protocols } from './requests/protocols.ts'
import { sizes } from './requests/sizes.ts'

/** Hostile requests by theme. */
export const requestCases: Corpus<RequestCase> = {
  lengths,
  chunks,
  lines,
  hosts,
  paths,
  sizes,
  endings,
  protocols,
}
