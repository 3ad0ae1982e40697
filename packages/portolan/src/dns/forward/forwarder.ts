import type { Query } from '../codec/query.ts'

/** Asks others what is not ours to say. */
export interface Forwarder {
  /**
   * The whole answer, with the query's own id and question, of any size; SERVFAIL where nobody answered in time. Its OPT
   * record, where the query had one, is the last eleven bytes, without options. Never rejects.
   */
  ask(query: Query): Promise<Buffer>
  close(): Promise<void>
}
