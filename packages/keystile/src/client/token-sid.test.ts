import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sidOf } from './token-sid.ts'

const tokenOf = (payload: string | Uint8Array): string =>
  `e30.${Buffer.from(payload).toString('base64url')}.c2ln`

describe('sidOf', () => {
  it('reads the sid of a JWT, also in letters beyond ASCII, and verifies nothing', () => {
    assert.equal(sidOf(tokenOf('{"sub":"ada","sid":"s-1"}')), 's-1')
    assert.equal(sidOf(tokenOf('{"sid":"ü>?~"}')), 'ü>?~')
    assert.equal(sidOf(`not-json.${Buffer.from('{"sid":"s"}').toString('base64url')}.`), 's')
  })

  it('reads base64url, of which - and _ are', () => {
    const token = tokenOf('{"a":"??>>~~","sid":"s>>>???"}')
    assert.match(token, /[-]/)
    assert.match(token, /_/)
    assert.equal(sidOf(token), 's>>>???')
  })

  const good = tokenOf('{"sid":"s"}')
  const payload = good.split('.')[1]!
  const none: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['an opaque token', 'access-1'],
    ['two segments', `e30.${payload}`],
    ['four segments', `${good}.x`],
    ['no header', `.${payload}.c2ln`],
    ['something before it', ` ${good}`],
    ['something behind it', `${good} `],
    [
      'base64 that is none for URLs',
      `e30.${Buffer.from('{"sid":"s>>>???"}').toString('base64')}.c2ln`,
    ],
    ['an empty payload', 'e30..c2ln'],
    ['a payload that is no base64', 'e30.a.c2ln'],
    ['bytes that are no UTF-8', tokenOf(Buffer.from('{"sid":"\xff"}', 'latin1'))],
    ['no JSON', tokenOf('sid')],
    ['null', tokenOf('null')],
    ['no sid', tokenOf('{"sub":"ada"}')],
    ['a sid that is no text', tokenOf('{"sid":7}')],
    ['an empty sid', tokenOf('{"sid":""}')],
  ]
  for (const [title, token] of none)
    it(`finds none in ${title}`, () => assert.equal(sidOf(token), undefined))
})
