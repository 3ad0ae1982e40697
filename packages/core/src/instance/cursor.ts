import { Fault } from '../fault/fault.ts'

/**
 * A point in one store's history, written `epoch.revision`. Revisions grow with every commit of a store; the epoch
 * is the store's random identity. Cursors of different epochs are never compared.
 */
export interface Cursor {
  readonly epoch: string
  readonly revision: number
}

export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.revision}`
}

const shape = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})$/

/** @throws Fault `invalid_request` */
export function parseCursor(text: string): Cursor {
  const match = shape.exec(text)
  if (match?.[1] === undefined) {
    throw new Fault('invalid_request', `"${text.slice(0, 80)}" is not a cursor`, {
      source: 'caller',
      hint: 'a cursor is epoch.revision, as the header Portolan-Revision gives it',
    })
  }
  return { epoch: match[1], revision: Number(match[2]) }
}

/** Whether what happened up to `wanted` is known at `reached`. False across epochs. */
export function covers(reached: Cursor, wanted: Cursor): boolean {
  return reached.epoch === wanted.epoch && reached.revision >= wanted.revision
}
