import type { Cursor } from '@portolan/core'

/** One key's newest value and the revision that wrote it. Values are opaque text with a format version inside. */
export interface Entry {
  readonly key: string
  readonly value: string
  readonly revision: number
}

/** What a commit wants to be true before it: the key was last written at `revision`; 0 = the key is absent. */
export interface Condition {
  readonly key: string
  readonly revision: number
}

export interface Commit {
  readonly if?: readonly Condition[]
  readonly put?: readonly { readonly key: string; readonly value: string }[]
  readonly delete?: readonly string[]
}

/** All that one commit changed. A deleted key has no value. */
export interface Change {
  readonly revision: number
  readonly events: readonly { readonly key: string; readonly value: string | undefined }[]
}

export interface Reading {
  readonly cursor: Cursor
  /** Ordered by key: by code point, as UTF-8 bytes are. */
  readonly entries: readonly Entry[]
}

/**
 * A revisioned key-value store with etcd's semantics and nothing about instances in it.
 * Every implementation runs the contract suite in `testing/store-contract.ts`.
 */
export interface Store {
  /**
   * All or nothing. Resolves with the commit's revision (> every earlier one) when it would survive SIGKILL;
   * watchers see it no earlier than that. Deleting an absent key is an event like any other.
   * @throws Fault `invalid_request` (nothing to put or delete, a key twice, or beyond the limits in `commit.ts`),
   *   `store_conflict` (a condition does not hold: nothing was written; its message names the key),
   *   `store_failed` (retryable), `store_closed`
   */
  commit(commit: Commit): Promise<number>
  /** Everything under `prefix` at one revision. */
  read(prefix: string): Promise<Reading>
  /**
   * Every change under `prefix` after `from`, in order, without gaps, for ever. Changes that touch several keys
   * come with those under `prefix` only. Ends when `signal` aborts or the store closes.
   * @throws Fault `store_compacted` when `from` is of another epoch, in the future, or older than what is kept
   */
  watch(prefix: string, from: Cursor, signal: AbortSignal): AsyncIterable<Change>
  close(): Promise<void>
}
