import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { WorkloadLedger, WorkloadRecord } from '../ledger.ts'

/** A ledger in one file, so that two supervisor processes can follow each other without a store. */
export function fileLedger(path: string): WorkloadLedger {
  const read = (): WorkloadRecord[] => {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as WorkloadRecord[]
    } catch {
      return []
    }
  }
  const change = (key: string, record?: WorkloadRecord): void => {
    const rest = read().filter(other => other.key !== key)
    writeFileSync(`${path}.new`, JSON.stringify(record === undefined ? rest : [...rest, record]))
    renameSync(`${path}.new`, path)
  }
  return {
    load: async () => read(),
    save: async record => change(record.key, record),
    forget: async key => change(key),
  }
}
