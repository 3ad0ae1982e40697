import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { AuthHooks } from './auth-hooks.ts'

const { httpUpstream } = fixture()

it('waits for a silent hook no longer than it may, whatever the garbage collector does meanwhile', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const port = await httpUpstream(() => {})
  const hooks = new AuthHooks()
  const never = new AbortController()
  const collecting = setInterval(collectGarbage, 10)
  try {
    const target = { url: `http://127.0.0.1:${port}/check` }
    await expect(hooks.ask(target, {}, 300, never.signal)).rejects.toThrow(/abort/i)
  } finally {
    clearInterval(collecting)
    await hooks.close()
  }
}, 5000)
