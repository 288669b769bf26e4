import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  makeRefreshToken,
  openSuccessor,
  parseRefreshToken,
  sealSuccessor,
  writeRefreshToken,
} from './refresh-tokens.ts'

const now = 1_704_067_200_000

describe('makeRefreshToken() and parseRefreshToken()', () => {
  it('a refresh token has 80 random bits in its id, and a random 256-bit secret', () => {
    const made = Array.from({ length: 100 }, () => makeRefreshToken(now))
    assert.equal(new Set(made.map(({ id }) => id)).size, 100)
    assert.equal(new Set(made.map(({ secret }) => secret)).size, 100)
    for (const token of made) {
      assert.match(token.id, /^[0-9a-f]{8}[\w-]{14}$/)
      assert.equal(Buffer.from(token.secret, 'base64url').length, 32)
      assert.deepEqual(parseRefreshToken(writeRefreshToken(token)), token)
    }
  })

  it('ids of refresh tokens sort by the time at which the tokens were made, until 2106', () => {
    const times = [0, 999, 1_000, now, now + 1_000, 2 ** 32 * 1000 - 1, 2 ** 32 * 1000]
    assert.deepEqual(
      times.map((time) => makeRefreshToken(time).id.slice(0, 8)),
      ['00000000', '00000000', '00000001', '65920080', '65920081', 'ffffffff', '00000000'],
    )
  })

  it('parseRefreshToken returns undefined for a string that is not a refresh token', () => {
    const text = writeRefreshToken(makeRefreshToken(now))
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
    const [token, successor, other] = [
      makeRefreshToken(now),
      makeRefreshToken(now),
      makeRefreshToken(now),
    ]
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
