import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenError } from '../base/errors.ts'
import { readBearerToken } from './credential.ts'

/** What a request with this `Authorization` field presents. */
const read = (authorization: string | null): string | undefined =>
  readBearerToken({
    method: 'GET',
    url: '/',
    headers: { get: (name) => (name === 'authorization' ? authorization : null) },
  })

describe('readBearerToken', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    it(`reads "${scheme} abc": the scheme has no case (RFC 9110 §11.1)`, () => {
      assert.equal(read(`${scheme} abc`), 'abc')
    })
  }

  it('reads all of token68, and spaces before it (RFC 6750 §2.1)', () => {
    assert.equal(read('Bearer aZ09-._~+/=='), 'aZ09-._~+/==')
    assert.equal(read('Bearer  abc'), 'abc')
  })

  for (const field of [
    'Bearer',
    'Bearer ',
    'bearer',
    'Bearer   ',
    'Bearer abc def',
    'Bearer abc, Bearer def',
    'Bearer abc,Bearer def',
    'Bearer abc, Bearer abc',
    'Bearer abc, Basic eDp5',
    'Bearer\tabc def',
    'Bearer , Bearer abc',
    'Bearer "abc"',
    'Bearer token=abc',
    'Bearer =',
    'Bearer abc=def',
    'Bearer \tabc',
    'Bearer\tabc',
    'Basic eDp5, Bearer abc',
    'Digest a="b",bearer abc',
    ', Bearer abc',
    'Bearer abc ',
    'Bearer abc\t',
    'Bearer abc\n',
    'Bearer caf\u00e9',
    'Bearer a\0b',
    'Bearer Bearer abc',
  ]) {
    it(`answers invalid_request to ${JSON.stringify(field)} (RFC 6750 §3.1)`, () => {
      assert.throws(
        () => read(field),
        (error) => {
          assert.ok(error instanceof TokenError)
          assert.deepEqual([error.code, error.status], ['invalid_request', 400])
          assert.equal(error.reason, 'malformed_credential')
          assert.doesNotMatch(error.message + error.detail, /abc/)
          assert.equal(error.detail === 'no token after Bearer', /^bearer\s*$/i.test(field))
          return true
        },
      )
    })
  }

  for (const field of [null, '', 'Basic eDp5', 'DPoP abc', 'Digest a="b", c="d"', 'Bearerabc', 'JWT abc']) {
    it(`finds no credential in ${JSON.stringify(field)}`, () => {
      assert.equal(read(field), undefined)
    })
  }

  it('looks at nothing but the Authorization field (RFC 6750 §2.2, §2.3)', () => {
    const asked: string[] = []
    const headers = {
      get: (name: string) => {
        asked.push(name)
        return name === 'authorization' ? null : 'Bearer abc'
      },
    }
    assert.equal(readBearerToken({ method: 'POST', url: '/?access_token=abc', headers }), undefined)
    assert.deepEqual(asked, ['authorization'])
    const cookies = new Headers({
      cookie: 'access_token=abc; Authorization=Bearer abc',
      'x-authorization': 'Bearer abc',
    })
    assert.equal(readBearerToken({ method: 'GET', url: '/', headers: cookies }), undefined)
  })
})
