import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  makeRefreshToken,
  openSuccessor,
  parseRefreshToken,
  sealSuccessor,
  writeRefreshToken,
} from './refresh-tokens.ts'

describe('makeRefreshToken() and parseRefreshToken()', () => {
  it('a refresh token has a random 128-bit id and a random 256-bit secret', () => {
    const made = Array.from({ length: 100 }, makeRefreshToken)
    assert.equal(new Set(made.map(({ id }) => id)).size, 100)
    assert.equal(new Set(made.map(({ secret }) => secret)).size, 100)
    for (const token of made) {
      assert.equal(Buffer.from(token.id, 'base64url').length, 16)
      assert.equal(Buffer.from(token.secret, 'base64url').length, 32)
      assert.deepEqual(parseRefreshToken(writeRefreshToken(token)), token)
    }
  })

  it('parseRefreshToken returns undefined for a string that is not a refresh token', () => {
    const text = writeRefreshToken(makeRefreshToken())
    for (const other of [
      '',
      '.',
      'x',
      text.replace('.', ''),
      `${text}x`,
      ` ${text}`,
      `${text}\n`,
      `${text}.x`,
      `.${text}`,
    ])
      assert.equal(parseRefreshToken(other), undefined, other)
  })

  it('the next refresh token is stored encrypted; only the current token can decrypt it', () => {
    const [token, successor, other] = [makeRefreshToken(), makeRefreshToken(), makeRefreshToken()]
    const sealed = sealSuccessor(successor, token)
    assert.equal(openSuccessor(sealed, token), writeRefreshToken(successor))
    for (const part of [successor.id, successor.secret]) {
      assert.ok(!sealed.includes(part))
      assert.ok(!Buffer.from(sealed, 'base64url').includes(part))
    }
    for (const thief of [other, { ...token, secret: other.secret }, { ...token, id: other.id }])
      assert.throws(
        () => openSuccessor(sealed, thief),
        /must be encrypted with the secret of that token/,
      )
  })
})
