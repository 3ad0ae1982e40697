// Installs the dependencies when they are not there yet or package-lock.json has changed since.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { npm, say } from './steps.mjs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Portolan needs Node.js >= 20.19; this is ${process.versions.node}\n`)
  process.exit(1)
}

const mark = new URL('../node_modules/.portolan-installed', import.meta.url)
const lock = readFileSync(new URL('../package-lock.json', import.meta.url))
const wanted = createHash('sha256').update(lock).digest('hex')
const installed = existsSync(mark) ? readFileSync(mark, 'utf8') : ''

if (installed !== wanted) {
  say('installing dependencies (about half a minute on a fresh machine)')
  // `npm install`, not `npm ci`, which takes away what is there before it knows that it gets it again.
  const code = await npm(['install', '--no-save', '--prefer-offline', '--loglevel=error'])
  if (code !== 0) process.exit(code)
  writeFileSync(mark, wanted)
}
