import { z } from 'zod'
import { configSchema } from './schema.ts'

/** The part of JSON Schema that our schema comes out as. */
export interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  /** What holds while the key is absent, where that is no plain value. */
  readonly unset?: string
}

/** JSON Schema (2020-12) of `portolan.yaml`, for editors and other programs. */
export function configJsonSchema(): SchemaNode {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const node = jsonSchema as Record<string, unknown>
      if (node.oneOrMany !== true) return
      const { oneOrMany: _, type, items, minItems, maxItems, ...rest } = node
      for (const key of Object.keys(node)) delete node[key]
      Object.assign(node, rest, {
        anyOf: [items, { type, items, minItems, maxItems }],
      })
    },
  })
  return { ...schema, title: 'portolan.yaml' } as SchemaNode
}

const nodeBelow = (node: SchemaNode, step: string | number): SchemaNode | undefined => {
  if (typeof step === 'number') return node.items ?? node.anyOf?.find(one => one.items !== undefined)?.items
  const known = node.properties !== undefined && Object.hasOwn(node.properties, step)
  if (known) return node.properties?.[step]
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
}

/** The keys that the schema knows at `path`; none where it is free what keys are called. */
export function keysAt(root: SchemaNode, path: readonly (string | number)[]): readonly string[] {
  let node: SchemaNode | undefined = root
  for (const step of path) node = node === undefined ? undefined : nodeBelow(node, step)
  return Object.keys(node?.properties ?? {})
}

/** One key of the file: `services.NAME.run.replicas`, `gateway.routes[].service`. */
export interface ReferenceRow {
  readonly key: string
  readonly type: string
  /** Its default, as one writes it; `required`, or empty where there is none. */
  readonly fallback: string
  readonly meaning: string
}

/** Every key of the file, in the schema's order, sections before what they hold. */
export function referenceRows(): readonly ReferenceRow[] {
  return rowsBelow(configJsonSchema(), '')
}

function rowsBelow(node: SchemaNode, prefix: string): ReferenceRow[] {
  const required = new Set(node.required ?? [])
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    return [row(key, child, required.has(name)), ...nested(child, key)]
  })
}

function nested(node: SchemaNode, key: string): ReferenceRow[] {
  const list = nodeBelow(node, 0)
  if (list?.properties !== undefined) return rowsBelow(list, `${key}[]`)
  const free = node.additionalProperties
  if (typeof free === 'object' && free.properties !== undefined) return rowsBelow(free, `${key}.NAME`)
  return rowsBelow(node, key)
}

function row(key: string, node: SchemaNode, required: boolean): ReferenceRow {
  return {
    key,
    type: typeName(node),
    fallback: fallbackOf(node, required),
    meaning: node.description ?? '',
  }
}

function typeName(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map(value => `\`${value}\``).join(', ')
  if (node.anyOf !== undefined) return node.anyOf.map(typeName).join(' or ')
  if (node.type === 'array') return `list of ${typeName(node.items ?? {})}`
  if (node.type === 'integer') return 'whole number'
  if (node.type === 'object') return 'map'
  if (node.type === 'string') return 'text'
  return node.type === 'boolean' ? '`true`, `false`' : (node.type ?? 'any')
}

function fallbackOf(node: SchemaNode, required: boolean): string {
  if (node.unset !== undefined) return node.unset
  if (required) return 'required'
  const value = node.default
  if (value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

const markers = ['<!-- reference: generated from the schema -->', '<!-- /reference -->'] as const

/** `page` with the table between its markers made new. */
export function withReference(page: string): string {
  const [head, rest = ''] = page.split(markers[0])
  const tail = rest.split(markers[1])[1] ?? ''
  return `${head}${markers[0]}\n\n${referenceTable()}\n${markers[1]}${tail}`
}

function referenceTable(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|')
  const rows = referenceRows().map(
    ({ key, type, fallback, meaning }) =>
      `| \`${key}\` | ${cell(type)} | ${cell(fallback)} | ${cell(meaning)} |\n`,
  )
  return `| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`
}
