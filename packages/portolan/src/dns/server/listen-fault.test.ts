import { describe, expect, it } from 'vitest'
import { listenFault } from './listen-fault.ts'

const listen = { host: '127.0.0.1', port: 53 }
const failed = (code: string) => Object.assign(new Error(`listen ${code}`), { code })

describe('listenFault', () => {
  it.each(['UDP', 'TCP'] as const)('names the ways to a low port, over %s', transport => {
    expect(listenFault(failed('EACCES'), listen, transport)).toMatchObject({
      code: 'config_invalid',
      message: `DNS can't listen on 127.0.0.1:53 (${transport}): listen EACCES`,
      hint: expect.stringMatching(/setcap .*sysctl /),
    })
  })

  it('tells what is taken from what is not there', () => {
    expect(listenFault(failed('EADDRINUSE'), listen, 'TCP')).toMatchObject({
      code: 'address_in_use',
      message: '127.0.0.1:53 is taken (TCP)',
    })
    const missing = listenFault(failed('EADDRNOTAVAIL'), listen, 'UDP')
    expect([missing.code, missing.hint]).toEqual(['config_invalid', undefined])
  })
})
