import { withApi } from '../api/client.ts'
import { type Command, wantsJson } from '../command.ts'

export const tokenRevoke: Command = {
  name: 'token revoke',
  summary: 'end a token; it is refused from then on',
  args: [{ name: 'ID', summary: 'the token, as `portolan token list` names it' }],
  examples: [
    ['portolan token revoke 0f3a9c51d2e4b687', 'what registered with it stays until its lease ends'],
  ],
  async run(invocation, io) {
    const [id = ''] = invocation.args
    await withApi(invocation, io, api => api.send('DELETE', `tokens/${encodeURIComponent(id)}`))
    io.out(wantsJson(invocation) ? `${JSON.stringify({ revoked: id })}\n` : `token ${id} is revoked\n`)
    return 0
  },
}
