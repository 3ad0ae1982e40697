import { hashOf, newSecret } from '../../registry/access/tokens.ts'
import { withApi } from '../api/client.ts'
import {
  type Command,
  flagOption,
  type Invocation,
  type Io,
  textOption,
  usage,
  wantsJson,
} from '../command.ts'

const verbs = ['read', 'register', 'admin']

export const tokenCreate: Command = {
  name: 'token create',
  summary: 'make a token, and show its secret this once',
  details:
    'With --offline nothing is asked: the secret is made here, and what goes into the configuration file (the hash alone) is printed beside it.',
  args: [{ name: 'NAME', summary: 'whose it is: the owner of what is registered with it' }],
  options: [
    { flags: '--verbs <list>', summary: `what it may do, of ${verbs.join(', ')}`, fallback: 'read' },
    { flags: '--services <list>', summary: 'only these services (default: all)' },
    { flags: '--namespaces <list>', summary: 'only these namespaces (default: all)' },
    {
      flags: '--expires <time>',
      summary: 'when it stops being good, as 2027-01-31T00:00:00Z (default: never)',
    },
    { flags: '--offline', summary: 'print secret and YAML for portolan.yaml, and ask no registry' },
  ],
  examples: [
    ['portolan token create ci --verbs read,register --services order', 'may register order, and see it'],
    ['portolan token create ops --verbs admin --offline', 'for the configuration file'],
  ],
  async run(invocation, io) {
    const asked = askedFor(invocation)
    if (flagOption(invocation, 'offline')) return offline(asked, invocation, io)
    const { namespaces = ['*'], services = ['*'] } = asked
    const grants = namespaces.flatMap(namespace =>
      services.map(service => ({ verbs: asked.verbs, namespace, service })),
    )
    const body = {
      name: asked.name,
      grants,
      ...(asked.expires === undefined ? {} : { expires: asked.expires }),
    }
    const made = await withApi(invocation, io, api =>
      api.send<{ id: string; secret: string }>('POST', 'tokens', { body }),
    )
    if (wantsJson(invocation)) io.out(`${JSON.stringify(made)}\n`)
    else {
      io.out(`${made.secret}\n`)
      io.err(`token ${made.id} of ${asked.name}: keep the secret, it is not shown again\n`)
    }
    return 0
  },
}

interface Asked {
  readonly name: string
  readonly verbs: readonly string[]
  readonly services?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly expires?: string
}

function askedFor(invocation: Invocation): Asked {
  const [name = ''] = invocation.args
  const wanted = split(textOption(invocation, 'verbs')) ?? ['read']
  const services = split(textOption(invocation, 'services'))
  const namespaces = split(textOption(invocation, 'namespaces'))
  const unknown = wanted.find(verb => !verbs.includes(verb))
  if (unknown !== undefined) throw usage(`--verbs ${unknown}: no such verb`, `there are ${verbs.join(', ')}`)
  return {
    name,
    verbs: wanted,
    ...(services === undefined ? {} : { services }),
    ...(namespaces === undefined ? {} : { namespaces }),
    ...expiry(textOption(invocation, 'expires')),
  }
}

function expiry(text: string | undefined): { readonly expires?: string } {
  if (text === undefined) return {}
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw usage(`--expires ${text}: not a time`, 'write 2027-01-31T00:00:00Z')
  return { expires: new Date(at).toISOString() }
}

function split(text: string | undefined): readonly string[] | undefined {
  const words = text?.split(',').flatMap(word => (word.trim() === '' ? [] : [word.trim()]))
  return words === undefined || words.length === 0 ? undefined : words
}

function offline(asked: Asked, invocation: Invocation, io: Io): number {
  const secret = newSecret()
  const sha256 = hashOf(secret)
  if (wantsJson(invocation)) {
    io.out(`${JSON.stringify({ secret, token: { ...asked, sha256 } })}\n`)
    return 0
  }
  io.out(`${secret}\n`)
  io.err('keep the secret above; into portolan.yaml goes\n\n')
  io.out(tokenYaml(asked, sha256))
  return 0
}

/** The file's part for one token. JSON is YAML, so that no name needs another kind of quotes. */
function tokenYaml({ name, verbs: wanted, services, namespaces, expires }: Asked, sha256: string): string {
  const list = (key: string, words: readonly string[] | undefined): string =>
    words === undefined ? '' : `      ${key}: ${JSON.stringify(words)}\n`
  return [
    'auth:\n  tokens:\n',
    `    - name: ${JSON.stringify(name)}\n`,
    `      sha256: "${sha256}"\n`,
    list('verbs', wanted),
    list('namespaces', namespaces),
    list('services', services),
    expires === undefined ? '' : `      expires: "${expires}"\n`,
  ].join('')
}
