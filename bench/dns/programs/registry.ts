// A registry at 127.0.0.1:API over a folder, and DNS on PORT in the same process: `registry API PORT FOLDER`. What nobody
// does: to see what it would cost.
import { parseHostPort } from '@portolan/core'
import { loadConfig } from '../../../packages/portolan/src/config/load.ts'
import { dnsDefaults } from '../../../packages/portolan/src/dns/settings.ts'
import { startDns } from '../../../packages/portolan/src/dns.ts'
import { openLog } from '../../../packages/portolan/src/observe/log.ts'
import { startServer } from '../../../packages/portolan/src/server.ts'

const [api = '', port = '', folder = ''] = process.argv.slice(2)
const log = openLog('error')
const loaded = await loadConfig(`${folder}/portolan.yaml`)
await startServer({ loaded, roles: ['registry'], version: '0', self: [], show: () => {}, log })
await startDns({
  join: [`http://127.0.0.1:${api}`],
  listen: [parseHostPort(`127.0.0.1:${port}`)],
  admin: parseHostPort('127.0.0.1:0', { anyPort: true }),
  settings: dnsDefaults,
  log,
})
process.stdout.write('ready\n')
