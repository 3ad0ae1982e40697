import type { Lease, RegisterOptions } from '@portolan/client'
import { describe, expect, it } from 'vitest'
import { registrationOf } from './definition.ts'
import { openSessionRegistrar, sessionRegistrar } from './session-registrar.ts'

/** A connection that writes down what is asked of it. */
function connection() {
  const asked: (RegisterOptions | string)[] = []
  const register = async (options: RegisterOptions = {}): Promise<Lease> => {
    asked.push(options)
    return {
      namespace: 'default',
      service: 'order',
      id: 'order-1',
      incarnation: 1,
      fault: undefined,
      report: async report => void asked.push(`report ${report.status}`),
      close: async closing => void asked.push(`close within ${closing?.graceMs}`),
      deregister: async () => void asked.push('deregister'),
    }
  }
  return { asked, register }
}

const at = { address: '127.0.0.1', port: 80, pid: 9 }
const registration = registrationOf({ service: 'order' }, 'order-1', at)

describe('a registrar over a session', () => {
  it('drains by its lease, and says goodbye once', async () => {
    const { asked, register } = connection()
    const registrar = sessionRegistrar({ register })
    await registrar.register(registration)
    await registrar.drain(registration, 300)
    await registrar.departed(registration)
    await registrar.departed(registration)
    expect(asked).toEqual([registration, 'close within 300', 'deregister'])
  })

  it('leaves the address to the registry where none is given', async () => {
    const { asked, register } = connection()
    await sessionRegistrar({ register }).register({ ...registration, addresses: [] })
    expect(asked).toHaveLength(1)
    expect(asked[0]).not.toHaveProperty('addresses')
  })

  it('has nothing to say of what was never registered', async () => {
    const { asked, register } = connection()
    const registrar = sessionRegistrar({ register })
    await registrar.drain(registration, 300)
    await registrar.departed(registration)
    expect(asked).toEqual([])
  })

  it('is there before any registry is, and ends without one', async () => {
    const faults: string[] = []
    const registrar = await openSessionRegistrar({
      url: 'http://127.0.0.1:1',
      onFault: fault => faults.push(fault.message),
    })
    void registrar.register(registration).catch(() => {})
    await registrar.departed(registration)
    await registrar.close()
    await expect(openSessionRegistrar({ url: 'nowhere', onFault: () => {} })).rejects.toMatchObject({
      code: 'config_invalid',
    })
  })
})
