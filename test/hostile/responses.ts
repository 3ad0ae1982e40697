import type { ResponseCase } from './case.ts'
import { chunks } from './responses/chunks.ts'
import { endings } from './responses/endings.ts'
import { heads } from './responses/heads.ts'
import { lengths } from './responses/lengths.ts'

/** Answers of instances that lie, by theme. */
export const responseCases: Readonly<Record<string, readonly ResponseCase[]>> = {
  lengths,
  chunks,
  heads,
  endings,
}
