import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** https://github.com/grpc/grpc/blob/master/src/proto/grpc/health/v1/health.proto, as far as it is needed. */
const proto = `syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
`

function healthService(): ServiceClientConstructor['service'] {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-grpc-'))
  try {
    writeFileSync(join(folder, 'health.proto'), proto)
    const loaded = loadPackageDefinition(
      loadSync(join(folder, 'health.proto'), { enums: String, defaults: true }),
    )
    const { grpc } = loaded as unknown as { grpc: { health: { v1: { Health: ServiceClientConstructor } } } }
    return grpc.health.v1.Health.service
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface GrpcServer {
  readonly port: number
  /** What was asked for, and with which deadline left. */
  readonly calls: readonly string[]
  close(): void
}

interface Call {
  readonly request: { readonly service: string }
  getDeadline(): Date | number
}
type Reply = (error: { code: number; details: string } | null, answer?: { status: string }) => void

/** A server of grpc-js whose services stand as `statuses` says; `hang` answers nobody, others are NOT_FOUND. */
export async function serveGrpc(
  statuses: Readonly<Record<string, string>>,
  { tls, implemented = true }: { tls?: { cert: string; key: string }; implemented?: boolean } = {},
): Promise<GrpcServer> {
  const calls: string[] = []
  const server = new Server()
  const check = ({ request }: Call, reply: Reply): void => {
    calls.push(request.service)
    const answer = statuses[request.service]
    if (answer === 'hang') return
    if (answer === undefined) reply({ code: status.NOT_FOUND, details: 'unknown service, 100 % sure' })
    else reply(null, { status: answer })
  }
  if (implemented) server.addService(healthService(), { Check: check as never })
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
        ])
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return { port, calls, close: () => server.forceShutdown() }
}
