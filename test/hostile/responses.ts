import type { Corpus, ResponseCase } from './case.ts'
import { chunks } from './responses/chunks.ts'
import { endings } from './responses/endings.ts'
import { heads } from './responses/heads.ts'
import { lengths } from './responses/lengths.ts'

/** Answers of instances that lie, by theme. */
export const responseCases: Corpus<ResponseCase> = {
  lengths,
  chunks,
  heads,
  endings,
}
