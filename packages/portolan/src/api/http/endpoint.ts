import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Identity } from '../../registry/access/access.ts'

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** One request to an endpoint, checked: what its handler gets. */
export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly identity: Identity
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** One answer an endpoint may give, for its documentation. */
export interface Answer {
  readonly status: number
  readonly description: string
  readonly schema?: z.ZodType
}

/** A method of a path: what it takes, what it answers, and what it does. The OpenAPI document is made of these. */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: Method
  /** With `:name` for parameters. */
  readonly path: string
  /** Where the path begins: other systems' clients have their own ideas of it. Default: below `/api/v1`. */
  readonly at?: 'root'
  readonly summary: string
  readonly params?: Params
  readonly query?: Query
  /** Absent: the endpoint takes no body. */
  readonly body?: Body
  /** The handler gets the body as it came, and checks it itself; the schema is its documentation. */
  readonly rawBody?: boolean
  readonly answers: readonly Answer[]
  /** What it returns is the JSON of the answer; `undefined` after the reply was made or taken over. */
  handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>): unknown
}

/** Lets the compiler derive what `handle` gets from the schemas beside it. */
export function endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  spec: Endpoint<P, Q, B>,
): Endpoint {
  return spec as unknown as Endpoint
}
