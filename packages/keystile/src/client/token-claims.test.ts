import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sidOf, subOf } from './token-claims.ts'

const tokenOf = (payload: string | Uint8Array): string =>
  `e30.${Buffer.from(payload).toString('base64url')}.c2ln`

describe('sidOf', () => {
  it('sidOf reads the sid of an unverified JWT, even if the sid has non-ASCII letters', () => {
    assert.equal(sidOf(tokenOf('{"sub":"ada","sid":"s-1"}')), 's-1')
    assert.equal(sidOf(tokenOf('{"sid":"ü>?~"}')), 'ü>?~')
    assert.equal(sidOf(`not-json.${Buffer.from('{"sid":"s"}').toString('base64url')}.`), 's')
  })

  it('sidOf reads the sid of a JWT whose base64url contains - and _', () => {
    const token = tokenOf('{"a":"??>>~~","sid":"s>>>???"}')
    assert.match(token, /[-]/)
    assert.match(token, /_/)
    assert.equal(sidOf(token), 's>>>???')
  })

  it('subOf reads the sub of an unverified JWT', () => {
    assert.equal(subOf(tokenOf('{"sub":"ada","sid":"s-1"}')), 'ada')
    assert.equal(subOf('access-1'), undefined)
  })

  const good = tokenOf('{"sid":"s"}')
  const payload = good.split('.')[1]!
  const none: readonly (readonly [string, string])[] = [
    ['an empty text', ''],
    ['an opaque token', 'access-1'],
    ['two segments', `e30.${payload}`],
    ['four segments', `${good}.x`],
    ['a token without a header', `.${payload}.c2ln`],
    ['text with a leading space', ` ${good}`],
    ['text with a trailing space', `${good} `],
    [
      'base64 instead of base64url',
      `e30.${Buffer.from('{"sid":"s>>>???"}').toString('base64')}.c2ln`,
    ],
    ['an empty payload', 'e30..c2ln'],
    ['a payload that is not base64', 'e30.a.c2ln'],
    ['bytes that are not UTF-8', tokenOf(Buffer.from('{"sid":"\xff"}', 'latin1'))],
    ['a payload that is not JSON', tokenOf('sid')],
    ['a payload of null', tokenOf('null')],
    ['a payload without sid', tokenOf('{"sub":"ada"}')],
    ['a sid that is not a string', tokenOf('{"sid":7}')],
    ['an empty sid', tokenOf('{"sid":""}')],
  ]
  for (const [title, token] of none)
    it(`sidOf finds no sid in ${title}`, () => assert.equal(sidOf(token), undefined))
})
