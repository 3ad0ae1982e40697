import type { ServerResponse } from 'node:http'
import { type Cursor, parseCursor, type ServiceName } from '@portolan/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { authorize } from '../../registry/access/access.ts'
import { onService } from '../../registry/access/grants.ts'
import type { ApiContext } from '../context.ts'
import { secretOf } from '../guard/credentials.ts'
import type { Filter } from '../http/filter.ts'
import { encodeChange, filteredEncoder } from './encode.ts'

export interface StreamRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly service: ServiceName
  readonly filter: Filter | undefined
}

/** The open event streams: watches of services for whoever speaks plain HTTP. */
export interface EventStreams {
  /** Takes the reply over, and answers until the client leaves. */
  open(request: StreamRequest): FastifyReply
  close(): void
}

/** Unsent bytes from which on a stream counts as congested. */
const congestedAt = 262_144

export function openEventStreams({ registry, access, metrics, times }: ApiContext): EventStreams {
  const open = new Map<ServerResponse, StreamRequest>()
  // One timer for all streams.
  const heart = setInterval(() => {
    for (const stream of open.keys()) if (!stream.writableNeedDrain) stream.write(': still here\n\n')
  }, times.heartbeat)
  heart.unref()
  const recheck = setInterval(() => {
    for (const [stream, asked] of open) if (!mayGoOn(asked)) stream.end()
  }, times.recheck)
  recheck.unref()

  /** Whether a new watch of the same would be let in: tokens expire and are revoked. */
  function mayGoOn({ request, service }: StreamRequest): boolean {
    try {
      authorize(access.authenticate(secretOf(request.headers.authorization)), onService('read', service))
      return true
    } catch {
      return false
    }
  }

  return {
    open(asked) {
      const { request, reply, service, filter } = asked
      // A filtered stream knows what it has shown from a snapshot on only.
      const from = filter === undefined ? resumeFrom(request) : undefined
      reply.hijack()
      const stream = reply.raw
      stream.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
        'X-Content-Type-Options': 'nosniff',
      })
      stream.write('retry: 1000\n\n')
      const encode = filter === undefined ? encodeChange : filteredEncoder(filter)
      const subscription = registry.subscribe(service, from, change => {
        stream.write(encode(change))
        return stream.writableLength < congestedAt
      })
      open.set(stream, asked)
      metrics.streams.set(open.size)
      stream.on('drain', () => subscription.resume())
      stream.on('close', () => {
        subscription.close()
        open.delete(stream)
        metrics.streams.set(open.size)
      })
      return reply
    },
    close() {
      clearInterval(heart)
      clearInterval(recheck)
      for (const stream of open.keys()) stream.end()
    },
  }
}

/** Where a client that was here before left off. What is no cursor of ours is answered with a snapshot. */
function resumeFrom(request: FastifyRequest): Cursor | undefined {
  const last = request.headers['last-event-id']
  if (typeof last !== 'string') return undefined
  try {
    return parseCursor(last)
  } catch {
    return undefined
  }
}
