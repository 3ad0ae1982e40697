import { describe, expect, it } from 'vitest'
import { declaredInstances } from './declared.ts'
import { defaultConfig, readConfig } from './load.ts'

const text = [
  'services:',
  '  legacy:',
  '    instances:',
  '      - 127.0.0.1:19001',
  '      - "[::1]:19001"',
  '  staging/legacy: { instances: [127.0.0.1:19001] }',
  '  order: {}',
].join('\n')

const name = (id: string, namespace = 'default', service = 'legacy') => ({ namespace, service, id })

describe('instances that the file names', () => {
  const reading = readConfig(text, '/etc/portolan/portolan.yaml')
  if (!reading.ok) throw new Error('the file is right')
  const declaredAt = declaredInstances(reading.loaded)

  it.each([
    [name('127.0.0.1-19001'), '/etc/portolan/portolan.yaml:4'],
    [name('__1-19001'), '/etc/portolan/portolan.yaml:5'],
    [name('127.0.0.1-19001', 'staging'), '/etc/portolan/portolan.yaml:6'],
    [name('127.0.0.1-19002'), undefined],
    [name('__1-19001', 'staging'), undefined],
    [name('order-1', 'default', 'order'), undefined],
  ])('stand where it does so: %o at %s', (instance, place) => {
    expect(declaredAt(instance)).toBe(place)
  })

  it('are none without a file', () => {
    expect(declaredInstances(defaultConfig('/'))(name('127.0.0.1-19001'))).toBeUndefined()
  })
})
