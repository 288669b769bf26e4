import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenError } from '../base/errors.ts'
import { bearerChallenge } from './challenge.ts'

const realm = 'https://auth.example'

describe('bearerChallenge', () => {
  it('bearerChallenge contains only the realm if there is no credential (RFC 6750 §3.1)', () => {
    assert.equal(
      bearerChallenge(new TokenError('not_authenticated', 'Not authenticated'), realm),
      'Bearer realm="https://auth.example"',
    )
  })

  for (const code of ['invalid_request', 'invalid_token'] as const) {
    it(`bearerChallenge contains the error ${code} and its description (RFC 6750 §3)`, () => {
      assert.equal(
        bearerChallenge(new TokenError(code, 'What is wrong'), realm),
        `Bearer realm="https://auth.example", error="${code}", error_description="What is wrong"`,
      )
    })
  }

  it('bearerChallenge lists the scopes that the route needs (RFC 6750 §3)', () => {
    assert.equal(
      bearerChallenge(
        new TokenError('insufficient_scope', 'Too little', { scopes: ['a', 'b:c'] }),
        realm,
      ),
      'Bearer realm="https://auth.example", error="insufficient_scope", error_description="Too little", scope="a b:c"',
    )
    assert.doesNotMatch(
      bearerChallenge(new TokenError('insufficient_scope', 'x', { scopes: [] }), realm),
      /scope=/,
    )
  })

  it('bearerChallenge contains the maximum age of a login (RFC 9470 §3)', () => {
    const error = new TokenError('insufficient_user_authentication', 'Log in again', {
      maxAgeSeconds: 300,
    })
    assert.equal(
      bearerChallenge(error, realm),
      'Bearer realm="https://auth.example", error="insufficient_user_authentication", ' +
        'error_description="Log in again", max_age="300"',
    )
  })

  it('bearerChallenge contains the accepted values of acr (RFC 9470 §3)', () => {
    const error = new TokenError('insufficient_user_authentication', 'Log in again', {
      acrValues: ['phr', 'mfa'],
      maxAgeSeconds: 60,
    })
    assert.match(bearerChallenge(error, realm), /", acr_values="phr mfa", max_age="60"$/)
  })

  it('bearerChallenge ends with the URL of the API’s metadata (RFC 9728 §5.1)', () => {
    const url = 'https://api.example/.well-known/oauth-protected-resource/v1'
    assert.equal(
      bearerChallenge(
        new TokenError('insufficient_scope', 'Too little', { scopes: ['a'] }),
        realm,
        url,
      ),
      'Bearer realm="https://auth.example", error="insufficient_scope", ' +
        `error_description="Too little", scope="a", resource_metadata="${url}"`,
    )
  })

  it('bearerChallenge omits `reason`, `detail` and `cause`, which are for the log', () => {
    const error = new TokenError('invalid_token', 'Invalid token', {
      reason: 'wrong_signature',
      detail: 'hush',
      cause: new Error('hush'),
    })
    assert.doesNotMatch(bearerChallenge(error, realm), /hush|wrong_signature/)
  })

  it('bearerChallenge drops characters that could end a quoted value (RFC 6750 §3)', () => {
    const all = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)).join('')
    const challenge = bearerChallenge(
      new TokenError('insufficient_scope', all, { scopes: [all] }),
      all,
    )
    const values = [...challenge.matchAll(/="([^"]*)"/g)].map(([, value]) => value)
    const allowed = all.replace(/[^\x20-\x7e]|["\\]/g, '')
    assert.equal(allowed.length, 0x7f - 0x20 - 2)
    assert.deepEqual(values, [allowed, 'insufficient_scope', allowed, allowed])
    assert.match(challenge, /^[\x20-\x7e]+$/)
  })
})
