import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalAddress } from './address.ts'

test('given spellings of one address, when made canonical, then they are equal', () => {
  const same = [
    ['10.0.0.10', '10.0.0.010', '010.000.0.10'],
    ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:0db8::0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
  ]
  for (const [first = '', ...others] of same)
    for (const other of others) assert.equal(canonicalAddress(other), canonicalAddress(first), other)
  assert.notEqual(canonicalAddress('::'), undefined)
})

test('given what is no address, when made canonical, then there is none', () => {
  for (const text of [
    '',
    'beef',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1:2:3',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'face:',
    '12345::',
    ':1:2:3:4:5:6:7',
    '1.2.3.4:1::',
  ]) {
    assert.equal(canonicalAddress(text), undefined, text)
  }
})
