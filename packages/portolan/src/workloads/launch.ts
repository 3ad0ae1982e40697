import { randomUUID } from 'node:crypto'
import { type InstanceName, serviceKey } from '@portolan/core'
import { copyKey, fingerprint, fixedPort, instanceName, type WorkloadDefinition } from './definition.ts'
import { inheritedEnvironment, portolanEnvironment } from './environment.ts'
import type { WorkloadLedger, WorkloadRecord } from './ledger.ts'
import type { OutputFile } from './output.ts'
import type { PortPool } from './ports.ts'
import { readBootId } from './proc-table.ts'
import { type ProgramProcess, startProgram } from './process.ts'

/** One copy of a workload, by its stable id. */
export interface Copy {
  readonly definition: WorkloadDefinition
  readonly id: string
}

/** A token good for one instance alone, `instance:SERVICE/ID`; a new one ends the earlier ones of that name. */
export type Mint = (name: InstanceName) => Promise<string>

export interface LaunchTools {
  readonly ledger: WorkloadLedger
  readonly mint: Mint
  readonly ports: PortPool
  /** Where programs find the registry: `PORTOLAN_URL`. */
  readonly url: string
  /** The supervisor's own environment, of which little is passed on. */
  readonly env: NodeJS.ProcessEnv
}

/** What a copy keeps from launch to launch. */
export interface Kept {
  readonly port: number | undefined
  readonly token: string | undefined
}

export interface Launched extends Kept {
  readonly process: ProgramProcess
  /** What the ledger keeps of it, still without the process: saving that is left to the caller, who need not wait. */
  readonly record: WorkloadRecord
}

/**
 * Makes one process of a copy, with the port and the token that it had before, and records it.
 * @throws Fault `workload_failed`, `address_in_use`, and what ledger and mint throw
 */
export async function launch(
  copy: Copy,
  kept: Kept,
  output: OutputFile,
  tools: LaunchTools,
): Promise<Launched> {
  const { definition, id } = copy
  const port = await takePort(definition, kept.port, tools.ports)
  const token = kept.token ?? (await mintFor(copy, tools.mint))
  const secrets = await definition.secrets?.()
  const record: WorkloadRecord = {
    key: copyKey(definition, id),
    launch: randomUUID(),
    bootId: readBootId(),
    fingerprint: fingerprint(definition, tools.url),
    port,
    process: undefined,
  }
  await tools.ledger.save(record)
  const sink = output.attach()
  try {
    const process = await startProgram({
      command: definition.command,
      cwd: definition.cwd,
      stdio: ['ignore', sink.descriptor, sink.descriptor],
      env: {
        ...inheritedEnvironment(tools.env),
        ...definition.env,
        ...secrets,
        ...environmentOf(copy, { port, token, url: tools.url, launch: record.launch }),
      },
    })
    return { process, port, token, record }
  } finally {
    sink.close()
  }
}

function environmentOf(
  { definition, id }: Copy,
  given: { port: number | undefined; token: string | undefined; url: string; launch: string },
): Record<string, string> {
  const { port, token, url, launch } = given
  return portolanEnvironment({
    url,
    launch,
    ...(port !== undefined && { port }),
    ...(token !== undefined && { token }),
    ...(definition.service !== undefined && {
      service: serviceKey(instanceName(definition.service, id)),
      instance: id,
    }),
  })
}

/** A port that was chosen is kept while it can be; one that is fixed is that one or an error. */
async function takePort(
  definition: WorkloadDefinition,
  earlier: number | undefined,
  ports: PortPool,
): Promise<number | undefined> {
  if (definition.service === undefined) return undefined
  const fixed = fixedPort(definition)
  const wish = fixed ?? earlier
  if (earlier !== undefined) ports.release(earlier)
  return ports.take(wish === undefined ? undefined : { port: wish, must: fixed !== undefined })
}

async function mintFor({ definition, id }: Copy, mint: Mint): Promise<string | undefined> {
  return definition.service === undefined ? undefined : mint(instanceName(definition.service, id))
}
