import { expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { textsOf } from './texts.ts'

it.each([
  [{ color: 'Fluch', printer: 'lpr5' }, ['color=Fluch', 'printer=lpr5']],
  [{ 'equation=4': 'a=4' }, ['equation`=4=a=4']],
  [{ 'a`b': '`' }, ['a``b=`']],
  [{ ' a b ': ' c ' }, ['` a b` = c ']],
  [{ '': 'nameless' }, []],
  [{ empty: '' }, ['empty=']],
  [{ id: 'another', Zone: 'too' }, []],
  [{ long: 'x'.repeat(251), fits: 'x'.repeat(250), wide: 'é'.repeat(126) }, [`fits=${'x'.repeat(250)}`]],
])('metadata %j', (metadata, texts) => {
  const own = instanceOf('order', 'i', 80, { zone: 'z', version: '1', metadata })
  expect(textsOf(own)).toEqual(['id=i', 'version=1', 'zone=z', ...texts])
})
