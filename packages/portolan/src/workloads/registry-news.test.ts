import { Fault } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { registryNews } from './registry-news.ts'

const away = (what: string) =>
  new Fault('registry_unreachable', what, { source: 'upstream', retryable: true })
const refusal = (what: string) =>
  new Fault('instance_owned_by_other', what, { source: 'caller', hint: 'choose another' })

describe('what is said of a registry', () => {
  const said: string[] = []
  const news = registryNews(line => said.push(line))
  const lines = () => said.splice(0)

  it('is nothing while all is well', () => {
    news.connected()
    expect(lines()).toEqual([])
  })

  it('is one line when it is away, however often it is tried, and one when it is back', () => {
    for (let attempt = 0; attempt < 50; attempt++) news.trouble(away(`ECONNREFUSED ${attempt}`))
    expect(lines()).toEqual(['no registry answers (ECONNREFUSED 0); the program runs on'])
    news.connected()
    news.connected()
    expect(lines()).toEqual(['the registry is back'])
    news.trouble(away('gone'))
    expect(lines()).toHaveLength(1)
  })

  it('is a refusal once, until it is another one or the registry was away', () => {
    news.connected()
    lines()
    for (let attempt = 0; attempt < 5; attempt++) news.trouble(refusal('another has it'))
    news.trouble(refusal('it is too large'))
    expect(lines()).toEqual([
      'the registry refused: another has it (choose another); the program runs on',
      'the registry refused: it is too large (choose another); the program runs on',
    ])
    news.trouble(away('gone'))
    news.connected()
    news.trouble(refusal('it is too large'))
    expect(lines()).toHaveLength(3)
  })
})
