import { type ClientMessage, comparedAtOnce, Fault } from '@portolan/core'
import { z } from 'zod'
import { check } from '../body/check.ts'
import { parseJson } from '../body/json.ts'
import { name, namespace } from '../http/shapes.ts'
import { statusShape } from '../status.ts'

const seq = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const cursor = z.string().max(96)
const incarnation = z.int().min(0)
const target = { namespace, service: name }
const held = { ...target, cursor, count: z.int().min(0) }

const shapes = {
  hello: z.strictObject({
    type: z.literal('hello'),
    protocol: z.int(),
    kind: z.enum(['sdk', 'proxy', 'agent']),
    name: z.string().max(200),
    resume: z.string().max(64).optional(),
  }),
  // The registry's own parser reads the registration, as it does for HTTP.
  register: z.strictObject({ type: z.literal('register'), seq, instance: z.unknown() }),
  deregister: z.strictObject({ type: z.literal('deregister'), seq, ...target, id: name, incarnation }),
  renew: z.strictObject({ type: z.literal('renew'), seq, ...target, id: name, incarnation }),
  drain: z.strictObject({
    type: z.literal('drain'),
    seq,
    ...target,
    id: name,
    graceMs: z.number().min(0).max(3_600_000).default(30_000),
  }),
  watch: z.strictObject({ type: z.literal('watch'), seq, ...target, from: cursor.optional() }),
  unwatch: z.strictObject({ type: z.literal('unwatch'), seq, ...target }),
  'watch-routes': z.strictObject({ type: z.literal('watch-routes'), seq }),
  'watch-services': z.strictObject({ type: z.literal('watch-services'), seq }),
  ack: z.strictObject({ type: z.literal('ack'), ...target, cursor }),
  idle: z.strictObject({ type: z.literal('idle'), ...target, id: name, incarnation }),
  report: z.strictObject({
    type: z.literal('report'),
    ...target,
    overMs: z.number().min(0),
    cpuMs: z.number().min(0).optional(),
    outcomes: z
      .array(
        z.strictObject({
          id: name,
          incarnation,
          ok: z.int().min(0),
          failed: z.int().min(0),
          reason: z.string().max(256).optional(),
        }),
      )
      .max(10_000),
  }),
  demand: z.strictObject({
    type: z.literal('demand'),
    ...target,
    perSecond: z.number().min(0).optional(),
    tokens: z.number().min(0),
    back: z.number().min(0).optional(),
    qps: z.number().min(0).optional(),
  }),
  status: z.strictObject({
    type: z.literal('status'),
    seq,
    ...target,
    id: name,
    incarnation,
    ...statusShape,
  }),
  compare: z.strictObject({ type: z.literal('compare'), seq, ...held }),
  'compare-all': z.strictObject({
    type: z.literal('compare-all'),
    seq,
    views: z.array(z.strictObject(held)).max(comparedAtOnce),
  }),
} satisfies Readonly<Record<ClientMessage['type'], z.ZodType>>

type Shapes = typeof shapes

/** A client's message, checked, with its defaults filled in. */
export type Request = { [Type in keyof Shapes]: z.output<Shapes[Type]> }[keyof Shapes]

export type RequestOf<Type extends Request['type']> = Extract<Request, { readonly type: Type }>

export const requestTypes = Object.keys(shapes) as readonly Request['type'][]

/** A frame that could not be understood, with as much of it as could be. */
export interface Unreadable {
  readonly fault: Fault
  readonly seq: number | undefined
}

/** Reads one frame: a request, or what is wrong with it. */
export function parseRequest(text: string): Request | Unreadable {
  let message: unknown
  try {
    message = parseJson(text)
    return check(shapeOf(message), message, 'the message') as Request
  } catch (thrown) {
    if (thrown instanceof Fault) return { fault: thrown, seq: seqOf(message) }
    throw thrown
  }
}

/** How many messages it counts as: views that come together cost what they would cost one by one. */
export function messagesIn(request: Request): number {
  return request.type === 'compare-all' ? Math.max(1, request.views.length) : 1
}

export function isRequest(parsed: Request | Unreadable): parsed is Request {
  return !('fault' in parsed)
}

function shapeOf(message: unknown): z.ZodType {
  const type = (message as { type?: unknown } | null)?.type
  if (typeof type === 'string' && Object.hasOwn(shapes, type)) return shapes[type as keyof Shapes]
  throw new Fault(
    'invalid_request',
    `the message has the unknown type ${JSON.stringify(type)?.slice(0, 60)}`,
    {
      source: 'caller',
      hint: `there are: ${requestTypes.join(', ')}`,
    },
  )
}

function seqOf(message: unknown): number | undefined {
  const parsed = seq.safeParse((message as { seq?: unknown } | null | undefined)?.seq)
  return parsed.success ? parsed.data : undefined
}
