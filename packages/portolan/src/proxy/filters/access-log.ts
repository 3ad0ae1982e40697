import { serviceKey } from '@portolan/core'
import type { AccessLog } from '../journal/access-log.ts'
import type { Service } from '../service.ts'
import type { Ending, Filter, RequestContext, Verdict } from './filter.ts'
import type { FilterEntry } from './station.ts'

/** Writes a line of each request that it draws, and of all that went wrong. */
class AccessLogFilter implements Filter {
  readonly #log: AccessLog
  readonly #service: Service
  readonly #key: string

  constructor(log: AccessLog, service: Service) {
    this.#log = log
    this.#service = service
    this.#key = serviceKey(service.name)
  }

  request(request: RequestContext): Verdict {
    request.isDrawn = this.#log.draw()
    if (request.isDrawn || this.#log.always(500, false)) request.keepAsked()
    return undefined
  }

  ended(request: RequestContext, { status, code, detail, ms }: Ending): void {
    if (!request.isDrawn && !this.#log.always(status, code === 'cut')) return
    const { asked, picked, endpoint, tries, answerBytes, hop, trace } = request
    this.#log.write(
      {
        client: hop?.peer,
        forwardedFor: asked.forwardedFor,
        method: asked.method,
        path: this.#log.pathOf(asked.path),
        host: asked.host,
        status,
        code,
        detail,
        ms: Math.round(ms * 1000) / 1000,
        bytes: answerBytes > 0 ? answerBytes : undefined,
        service: this.#key,
        instance: endpoint?.id,
        tries,
        pick:
          endpoint === undefined
            ? undefined
            : {
                policy: this.#service.policy,
                by: picked.by,
                inFlight: picked.inFlight,
                cost: picked.cost === 1 ? undefined : Math.round(picked.cost * 1000) / 1000,
                panic: picked.panic ? true : undefined,
              },
        trace: trace === '' ? undefined : trace,
      },
      ms,
    )
  }
}

export const accessLog: FilterEntry = {
  name: 'access-log',
  why: 'Outermost: whatever becomes of a request further in is written down.',
  make: ({ path, service }) =>
    path.accessLog.isOn ? new AccessLogFilter(path.accessLog, service) : undefined,
}
