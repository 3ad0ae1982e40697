import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Processes, root, until } from './processes.ts'

const processes = new Processes()
let left: number[] = []
beforeEach(() => {
  left = []
})
afterEach(async () => {
  for (const pid of left) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  await processes.endAll()
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** What `npm start` runs at last: says its pid, and once it is told to end, takes its time. */
const program = `
import { appendFileSync } from 'node:fs'
const say = word => appendFileSync(process.argv[2], word + ' ')
let told = 0
process.on('SIGTERM', () => {
  say('told')
  if (++told === 1) setTimeout(() => { say('ended'); process.exit(0) }, 1000)
})
setInterval(() => {}, 1000)
say(process.pid)
`

/** `npm start` of a package whose script is written as ours is. */
async function start() {
  const directory = processes.directory()
  const says = join(directory, 'says')
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(scripts.start).toContain('node scripts/start.mjs')
  const script = scripts.start.replace('scripts/start.mjs', 'start.mjs')
  processes.file('package.json', JSON.stringify({ type: 'module', scripts: { start: script } }), directory)
  const file = processes.file('program.mjs', program, directory)
  const args = JSON.stringify([file, says])
  processes.file(
    'start.mjs',
    `import { foreground } from ${JSON.stringify(join(root, 'scripts/foreground.mjs'))}\nforeground(process.execPath, ${args})\n`,
    directory,
  )
  const npm = spawn('npm', ['start'], { cwd: directory, stdio: 'ignore' })
  if (npm.pid !== undefined) left.push(npm.pid)
  const said = (): string => (existsSync(says) ? readFileSync(says, 'utf8') : '')
  const pid = await until('the program', () => Number(/^\d+ /.exec(said())?.[0]) || undefined)
  left.push(pid)
  return { npm, said, pid }
}

describe('npm start', () => {
  it('told to end by SIGTERM, waits for what it started to end', async () => {
    const { npm, said, pid } = await start()
    const gone = once(npm, 'exit')
    npm.kill('SIGTERM')
    await gone
    expect(said()).toBe(`${pid} told ended `)
    expect(isAlive(pid)).toBe(false)
  })

  it('killed outright, leaves nothing behind', async () => {
    const { npm, said, pid } = await start()
    npm.kill('SIGKILL')
    await until('the end', () => said() === `${pid} told ended `)
    await until('nobody left', () => !isAlive(pid))
  })
})
