import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from '../../store/lock.ts'
import { portolan } from '../testing/terminal.ts'
import { descriptors, nodeVersion, restart } from './doctor.ts'
import type { Finding } from './doctor-finding.ts'

describe('what the doctor makes of', () => {
  it.each([
    ['18.20.4', 'fail'],
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['22.0.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('Node.js %s', (version, state) => {
    expect(nodeVersion(version).state).toBe(state)
  })

  it.each([
    ['Max open files            1024                 1048576              files', 'warn'],
    ['Max open files            65536                65536                files', 'ok'],
    ['Max open files            unlimited            unlimited            files', 'ok'],
    [undefined, 'warn'],
  ])('limits that say %s', (limits, state) => {
    expect(descriptors(limits).state).toBe(state)
  })
})

describe('keys that wait for the next start', () => {
  it('are named, where there are any', () => {
    expect(restart([])).toEqual([])
    expect(restart(['api.listen', 'data'])).toMatchObject([
      { state: 'warn', found: 'api.listen and data take effect at the next start' },
    ])
  })
})

describe('doctor, with no registry', () => {
  let cwd: string
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'portolan-doctor-'))
  })
  afterEach(() => rm(cwd, { recursive: true }))

  async function examine(
    yaml: string,
  ): Promise<{ readonly exit: number; readonly of: (what: string) => Finding | undefined }> {
    await writeFile(join(cwd, 'portolan.yaml'), yaml)
    const { exit, out } = await portolan(['doctor', '--json', '--url', 'http://127.0.0.1:1'], { cwd })
    const { findings } = JSON.parse(out) as { findings: readonly Finding[] }
    return { exit, of: what => findings.find(finding => finding.what === what) }
  }

  it('warns that none answers, which is no failure before the first start', async () => {
    const { exit, of } = await examine('data: state\n')
    expect(exit).toBe(0)
    expect(of('registry')).toMatchObject({ state: 'warn', mend: expect.stringContaining('portolan up') })
    expect(of('data folder')).toMatchObject({
      state: 'ok',
      found: `${join(cwd, 'state')} will be made at the first start`,
    })
  })

  it('fails for a configuration that does not hold', async () => {
    const { exit, of } = await examine('dat: x\n')
    expect(exit).toBe(1)
    expect(of('configuration')).toMatchObject({ state: 'fail', mend: '`portolan check` says what and where' })
  })

  it('names who holds a port that we want', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { of } = await examine(`api: { listen: 127.0.0.1:${port} }\n`)
    server.close()
    expect(of(`API port ${port}`)).toMatchObject({
      state: 'warn',
      found: expect.stringContaining(`held by pid ${process.pid} (`),
    })
  })

  it('names who owns the data folder', async () => {
    await mkdir(join(cwd, 'state'))
    const lock = lockDirectory(join(cwd, 'state'))
    const owned = await examine('data: state\n')
    expect(owned.of('data folder’s owner')).toMatchObject({
      state: 'warn',
      found: expect.stringContaining(`pid ${process.pid} (`),
    })
    lock.release()
    const left = await examine('data: state\n')
    expect(left.of('data folder’s owner')).toMatchObject({
      state: 'ok',
      found: 'nobody: the next start takes it',
    })
  })

  it('fails for a data folder that is none', async () => {
    const { exit, of } = await examine('data: portolan.yaml\n')
    expect(exit).toBe(1)
    expect(of('data folder')?.state).toBe('fail')
  })
})
