import { z } from 'zod'
import { authorize } from '../../registry/access/access.ts'
import { administer } from '../../registry/access/grants.ts'
import type { Token } from '../../registry/access/tokens.ts'
import type { ApiContext } from '../context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { minted, token, tokenRequest } from './shapes.ts'

/** Tokens, for unlimited administrators alone: who could mint within a scope could hand it to others unseen. */
export function tokenEndpoints({ access }: ApiContext): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/tokens',
      summary: 'All tokens, without their secrets',
      answers: [{ status: 200, description: 'The tokens', schema: z.object({ tokens: z.array(token) }) }],
      handle({ identity }) {
        authorize(identity, administer)
        return { tokens: access.list().map(shown) }
      },
    }),

    endpoint({
      method: 'POST',
      path: '/tokens',
      summary: 'Mint a token',
      body: tokenRequest,
      answers: [{ status: 201, description: 'The token and its secret, shown this once', schema: minted }],
      async handle({ identity, body, reply }) {
        authorize(identity, administer)
        const { name, grants, expires } = body
        const made = await access.mint({ name, grants, ...(expires === undefined ? {} : { expires }) })
        reply.code(201).header('Cache-Control', 'no-store')
        return { ...shown(made.token), secret: made.secret }
      },
    }),

    endpoint({
      method: 'DELETE',
      path: '/tokens/:token',
      summary: 'Revoke a token',
      params: z.strictObject({ token: z.string().max(64) }),
      answers: [{ status: 204, description: 'Revoked' }],
      async handle({ identity, params, reply }) {
        authorize(identity, administer)
        await access.revoke(params.token)
        return reply.code(204).send()
      },
    }),
  ]
}

function shown({ id, name, grants, expires, from }: Token) {
  return { id, name, grants, from, ...(expires === undefined ? {} : { expires }) }
}
