import type { GrpcCheck, Milliseconds } from '@portolan/core'
import { failing, passing } from './findings.ts'
import { healthStatus, servingStatuses } from './grpc-message.ts'
import type { Finding } from './probe.ts'

/** What came back of one call. */
export interface GrpcAnswer {
  /** `:status` of HTTP/2. */
  readonly httpStatus: number
  readonly contentType: string
  /** `grpc-status`, from the trailers or the only head; undefined = there was none. */
  readonly grpcStatus: number | undefined
  /** `grpc-message`, percent-decoded. */
  readonly message: string
  readonly body: Buffer
}

const notFound = 5
const permissionDenied = 7
const unimplemented = 12
const unauthenticated = 16

/** What an answer says of the instance: whatever it is, a program gave it, and no kernel. */
export function judgeGrpc(check: GrpcCheck, answer: GrpcAnswer, latencyMs: Milliseconds): Finding {
  return { ...verdictOf(check, answer, latencyMs), presence: 'spoke' }
}

function verdictOf({ service }: GrpcCheck, answer: GrpcAnswer, latencyMs: Milliseconds): Finding {
  const { httpStatus, contentType, grpcStatus, message, body } = answer
  const of = service === '' ? 'the server' : `service ${JSON.stringify(service.slice(0, 64))}`
  if (httpStatus !== 200) return failing(`answered HTTP ${httpStatus}: is that a gRPC port?`, latencyMs)
  if (!contentType.startsWith('application/grpc')) {
    return failing(`answered with ${contentType || 'no content type'}: is that a gRPC port?`, latencyMs)
  }
  if (grpcStatus === undefined) return failing('answered without a grpc-status', latencyMs)
  if (grpcStatus !== 0)
    return failing(`${advice(grpcStatus, of)}${message === '' ? '' : `: ${message}`}`, latencyMs)
  const status = healthStatus(body)
  if (status === undefined)
    return failing('answered with something that is no HealthCheckResponse', latencyMs)
  const name = servingStatuses[status] ?? `status ${status}`
  return name === 'SERVING' ? passing(latencyMs) : failing(`${of} is ${name}`, latencyMs)
}

function advice(code: number, of: string): string {
  if (code === unimplemented) {
    return 'it does not implement grpc.health.v1.Health (UNIMPLEMENTED): add it to the server, or check by tcp'
  }
  if (code === notFound) {
    return `its health service does not know ${of} (NOT_FOUND): set its status there, or leave service out of the check`
  }
  if (code === permissionDenied || code === unauthenticated) {
    return `it does not let us ask (${names[code]}): open grpc.health.v1.Health to the checker`
  }
  return `it answered ${names[code] ?? `grpc-status ${code}`}`
}

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const names = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const
