import { formatGrant, type Grant } from '../../registry/access/grants.ts'
import { withApi } from '../api/client.ts'
import { type Command, wantsJson } from '../command.ts'
import { printable } from '../text/instance.ts'
import { table } from '../text/table.ts'

interface ShownToken {
  readonly id: string
  readonly name: string
  readonly grants: readonly Grant[]
  readonly from: string
  readonly expires?: string
}

export const tokenList: Command = {
  name: 'token list',
  summary: 'list the tokens, without their secrets',
  examples: [['portolan token list', 'those of the configuration file first']],
  async run(invocation, io) {
    const { tokens } = await withApi(invocation, io, api =>
      api.get<{ tokens: readonly ShownToken[] }>('tokens'),
    )
    if (wantsJson(invocation)) io.out(`${JSON.stringify(tokens)}\n`)
    else if (tokens.length === 0) io.out('there are no tokens; `portolan token create NAME` makes one\n')
    else {
      const rows = tokens.map(({ id, name, grants, from, expires }) => [
        id,
        printable(name),
        grants.map(formatGrant).join(' '),
        from,
        expires ?? 'never',
      ])
      io.out(table(['ID', 'NAME', 'MAY', 'FROM', 'EXPIRES'], rows))
    }
    return 0
  },
}
