import { spawnSync } from 'node:child_process'
import type { Namespace } from '../faults/namespace.ts'

/** A cable between two namespaces, beside the one that joins each of them to the machine. */
export interface Cable {
  /** Addresses of its two ends. */
  readonly ends: readonly [string, string]
  /** Every packet on it is lost from now on; those on other cables are not. */
  cut(): void
  heal(): void
}

const device = 'cable'

/**
 * @param crowd a network behind the second end
 */
export function joinByCable(from: Namespace, to: Namespace, crowd: string): Cable {
  // Of TEST-NET-1 (RFC 5737): nobody but these two namespaces ever sees them.
  const ends = ['192.0.2.1', '192.0.2.2'] as const
  run('ip', [
    'link',
    'add',
    device,
    'netns',
    from.name,
    'type',
    'veth',
    'peer',
    'name',
    device,
    'netns',
    to.name,
  ])
  for (const [index, end] of [from, to].entries()) {
    within(end, ['ip', 'addr', 'add', `${ends[index]}/30`, 'dev', device])
    within(end, ['ip', 'link', 'set', device, 'up'])
  }
  within(from, ['ip', 'route', 'add', crowd, 'via', ends[1]])
  const rules = (drop: string): void =>
    within(
      from,
      ['nft', '-f', '-'],
      `add table inet cable
delete table inet cable
table inet cable {
  chain in { type filter hook prerouting priority raw; policy accept; ${drop === '' ? '' : `iifname "${device}" ${drop}`}
  }
  chain out { type filter hook postrouting priority raw; policy accept; ${drop === '' ? '' : `oifname "${device}" ${drop}`}
  }
}
`,
    )
  return { ends, cut: () => rules('drop'), heal: () => rules('') }
}

function within({ name }: Namespace, command: readonly string[], input = ''): void {
  run('ip', ['netns', 'exec', name, ...command], input)
}

function run(command: string, args: readonly string[], input = ''): void {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
  const { status, stderr } = spawnSync(command, args, { env, encoding: 'utf8', input })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
