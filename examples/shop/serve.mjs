import { createServer } from 'node:http'
import { connect } from '@portolan/client'

export const instance = process.env.PORTOLAN_INSTANCE ?? `unnamed-${process.pid}`

/**
 * One service of the shop: answers every request with JSON that names this instance, registers itself, and leaves
 * without losing a request.
 *
 * @param answer (request, portolan) → what to add to the answer
 */
export async function serve(answer) {
  const portolan = await connect()
  const server = createServer(async (request, response) => {
    const [status, body] = await answer(request, portolan).then(
      extra => [200, { instance, ...extra }],
      error => [502, { instance, error: error.code ?? error.message }],
    )
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
  })
  // Longer than any client keeps an idle connection: whoever closes first loses no request.
  server.keepAliveTimeout = 75_000
  await new Promise(resolve => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve))

  await portolan.register({
    service: process.env.PORTOLAN_SERVICE ?? 'shop',
    port: server.address().port,
    metadata: { pid: String(process.pid) },
  })

  process.once('SIGTERM', async () => {
    await portolan.close()
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
}
