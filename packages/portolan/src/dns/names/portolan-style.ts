import type { Directory } from '../directory/directory.ts'
import { isAncestor } from './ancestors.ts'
import { anAddress, aServiceOrMarked, type Found } from './portolan-forms.ts'

/** The name forms of Portolan's own domain. */
export function portolanMeaning(labels: readonly string[], directory: Directory): Found {
  if (labels.length === 0) return { meaning: { kind: 'apex' } }
  if (labels.length === 1 && labels[0] === 'ns') return { meaning: { kind: 'nameserver' } }
  const found = anAddress(labels) ?? aServiceOrMarked(labels, directory)
  return found ?? { meaning: { kind: isAncestor(labels, directory) ? 'empty' : 'nothing' } }
}
