import { toFault } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { systemKey } from '../../workloads/definition.ts'
import type { CopyState } from '../../workloads/supervised.ts'
import { refuseHopeless } from './up-hopeless.ts'

function refusalOf(tail: string, phase = 'waiting') {
  const state = { workload: systemKey('dns'), phase, lastExit: { tail } } as unknown as CopyState
  try {
    refuseHopeless({ workloads: { states: () => [state] } }, 'dns')
    return undefined
  } catch (thrown) {
    const { code, message, hint } = toFault(thrown)
    return { code, message, hint }
  }
}

describe('refuseHopeless', () => {
  it('makes a port that is taken an error of the start', () => {
    const tail = 'error: 127.0.0.1:53 is taken (TCP) [address_in_use]\n  stop the other program'
    expect(refusalOf(tail)).toEqual({
      code: 'address_in_use',
      message: 'DNS: 127.0.0.1:53 is taken (TCP)',
      hint: 'end that process, or choose other addresses for dns.listen and dns.admin',
    })
    expect(refusalOf(tail, 'running')).toBeUndefined()
  })

  it('and a port that it may not have, with its hint', () => {
    const tail = "error: DNS can't listen on 127.0.0.1:53 (TCP): EACCES [config_invalid]\n  setcap it\n"
    expect(refusalOf(tail)).toEqual({
      code: 'config_invalid',
      message: "DNS can't listen on 127.0.0.1:53 (TCP): EACCES",
      hint: 'setcap it',
    })
  })

  it('waits for what may yet come', () => {
    expect(refusalOf('error: nobody answers [registry_unreachable]')).toBeUndefined()
    expect(refusalOf('')).toBeUndefined()
  })
})
