import type { Socket } from 'node:net'
import type { Hop } from '../codec/codec.ts'
import type { Expiring } from '../deadlines.ts'
import type { PathContext } from '../path-context.ts'
import { type Problem, problemResponse, problems } from '../problem.ts'
import { Clients } from './clients.ts'

/** So many are told why at a time; the rest are closed without a word. */
export const mostTurnedAway = 64
/** How long somebody who is turned away may take to read that. */
const goodbyeMs = 1000

/** Lets client connections in, as many as there may be; the others get an answer, and are closed. */
export class Door {
  readonly #path: PathContext
  readonly #clients = new Clients()

  constructor(path: PathContext) {
    this.#path = path
  }

  admits(socket: Socket, { peer, trusted }: Pick<Hop, 'peer' | 'trusted'>): boolean {
    const { limits, metrics, descriptors } = this.#path
    if (metrics.connections >= limits.connections) {
      metrics.struck.connections++
      return this.#turnAway(socket, problems.tooManyClients)
    }
    if (descriptors.isShort) {
      metrics.struck.descriptors++
      return this.#turnAway(socket, problems.tooManyClients)
    }
    const { connectionsPerClient } = limits
    // A proxy that is trusted brings the connections of many.
    if (connectionsPerClient === 0 || trusted) return true
    const client = this.#clients.enter(peer, connectionsPerClient)
    if (client === undefined) {
      metrics.struck.connectionsPerClient++
      return this.#turnAway(socket, problems.tooManyFromClient)
    }
    socket.once('close', () => this.#clients.leave(client))
    return true
  }

  #turnAway(socket: Socket, problem: Problem): false {
    const { metrics, descriptors, deadlines, date } = this.#path
    metrics.connectionsRefused++
    metrics.problem(problem)
    if (metrics.leaving >= mostTurnedAway || descriptors.isTight) {
      socket.destroy()
      return false
    }
    metrics.leaving++
    const late: Expiring = { deadline: deadlines.in(goodbyeMs), expire: () => socket.destroy() }
    deadlines.add(late)
    socket.on('error', () => {})
    socket.once('close', () => {
      deadlines.delete(late)
      metrics.leaving--
    })
    // What it has to say goes unread, but has to be taken: a reset would overtake our answer.
    socket.resume()
    socket.end(problemResponse(problem, date.text, true, true), 'latin1')
    return false
  }
}
