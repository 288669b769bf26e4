import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { TokenError } from '../../base/errors.ts'
import type { HttpRequest } from '../../http/message.ts'
import { generateKey } from '../../keys/generate-key.ts'
import { keySetOf } from '../../keys/jwk-set.ts'
import { issueAccessToken } from '../../token/access-token.ts'
import type { Demand } from '../demand.ts'
import { createVerifier } from '../verifier.ts'
import { bearer } from './bearer.ts'

const key = generateKey('ES256')
const verifier = createVerifier({
  issuer: 'i',
  audience: 'a',
  keys: keySetOf([key]),
  revocations: 'none',
})
const content = { issuer: 'i', audience: 'a', subject: 'ada', clientId: 'c', scopes: [] }
const anyToken: Demand = {
  alternatives: [[]],
  maxAgeSeconds: undefined,
  acr: undefined,
  verified: false,
  optional: false,
}

/** Returns a request with this `Authorization` field. */
const requestWith = (authorization: string | null): HttpRequest => ({
  method: 'GET',
  url: '/',
  headers: { get: (name) => (name === 'authorization' ? authorization : null) },
})
const find = (authorization: string | null): string | undefined =>
  bearer.find(requestWith(authorization))

describe('find()', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    it(`bearer.find finds abc in "${scheme} abc": case does not matter (RFC 9110 §11.1)`, () => {
      assert.equal(find(`${scheme} abc`), 'abc')
    })
  }

  it('bearer.find returns the whole token, and skips the spaces before it (RFC 6750 §2.1)', () => {
    assert.equal(find('Bearer aZ09-._~+/=='), 'aZ09-._~+/==')
    assert.equal(find('Bearer  abc'), 'abc')
  })

  for (const field of [
    null,
    '',
    'Basic eDp5',
    'DPoP abc',
    'Digest a="b", c="d"',
    'Bearerabc',
    'JWT abc',
    'JWT bearer\tabc',
  ]) {
    it(`bearer.find finds no credential in ${JSON.stringify(field)}`, () => {
      assert.equal(find(field), undefined)
    })
  }

  it('bearer.find reads only the Authorization header (RFC 6750 §2.2, §2.3)', () => {
    const asked: string[] = []
    const headers = {
      get: (name: string) => {
        asked.push(name)
        return name === 'authorization' ? null : 'Bearer abc'
      },
    }
    assert.equal(bearer.find({ method: 'POST', url: '/?access_token=abc', headers }), undefined)
    assert.deepEqual(asked, ['authorization'])
    const cookies = new Headers({
      cookie: 'access_token=abc; Authorization=Bearer abc',
      'x-authorization': 'Bearer abc',
    })
    assert.equal(bearer.find({ method: 'GET', url: '/', headers: cookies }), undefined)
  })
})

describe('prove()', () => {
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
    'bearer\tabc',
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
    it(`bearer.prove throws invalid_request for ${JSON.stringify(field)}`, () => {
      const credential = find(field)
      assert.ok(credential !== undefined)
      assert.throws(
        () => bearer.prove(credential, verifier, anyToken),
        (error) => {
          assert.ok(error instanceof TokenError)
          assert.deepEqual([error.code, error.status], ['invalid_request', 400])
          assert.equal(error.reason, 'malformed_credential')
          assert.doesNotMatch(error.message + error.detail, /abc/)
          assert.match(
            error.detail ?? '',
            /^bearer\s*$/i.test(field) ? /^no token after Bearer$/ : /token68/,
          )
          return true
        },
      )
    })
  }

  it('bearer.prove gives a well-formed token to the verifier', async () => {
    for (const token of ['abc', 'aZ09-._~+/==']) {
      await assert.rejects(bearer.prove(token, verifier, anyToken), { reason: 'malformed_token' })
    }
  })
})

describe('recall()', () => {
  it('bearer.recall returns undefined if the app’s verifier has no recall()', () => {
    const { recall: _, ...forgetful } = verifier
    assert.equal(bearer.recall('abc', forgetful), undefined)
  })

  it('bearer.recall finds a verified token after "Bearer" or "bearer"', async () => {
    const token = issueAccessToken(content, key, 60, systemClock)
    const recall = (field: string): unknown => bearer.recall(find(field) ?? '', verifier)
    assert.equal(recall(`Bearer ${token}`), undefined)
    const identity = await bearer.prove(token, verifier, anyToken)
    for (const field of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`])
      assert.equal(recall(field), identity)
    for (const field of [
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} `,
      `Basic eDp5, Bearer ${token}`,
    ]) {
      assert.equal(recall(field), undefined)
    }
  })
})
