// The programs of docs/guides/other-issuers.md accept the token that each issuer documents, by the
// keys that it documents, and refuse its other tokens.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Hono } from 'hono'
import { TokenError } from 'keystile'
import { importPrograms, now, type Sample } from './issuers.ts'

for (const { issuer, verifier, guard, issue } of await importPrograms()) {
  const { name, token, identity } = issuer
  const changed = (claims: Sample['claims']): Sample => ({
    ...token,
    claims: { ...token.claims, ...claims },
  })

  describe(`the program in the documentation for ${name}`, () => {
    it(`the documented program for ${name} accepts a token of that issuer`, async () => {
      const { subject, clientId, scopes } = await verifier.verify(issue(token))
      assert.deepEqual({ subject, clientId, scopes }, identity)
      assert.equal(verifier.state, 'current')

      const scope = scopes.at(-1) ?? ''
      const app = new Hono().get('/', guard(scope), (c) => c.text('in'))
      const headers = { authorization: `Bearer ${issue(token)}` }
      assert.equal((await app.request('/', { headers })).status, 200)
      assert.equal((await app.request('/')).status, 401)
    })

    for (const [what, claims] of issuer.unscoped ?? []) {
      it(`the documented program for ${name} gives no scopes to the token of ${what}`, async () => {
        assert.deepEqual((await verifier.verify(issue(changed(claims)))).scopes, [])
      })
    }

    for (const [what, sample, reason] of [
      ['a token of another tenant', changed(issuer.otherTenant), 'wrong_issuer'],
      ['a token for another audience', changed(issuer.otherAudience), 'wrong_audience'],
      ['an expired token', changed({ iat: now - 4000, exp: now - 60 }), 'expired'],
      ...issuer.refused,
    ] as const) {
      it(`the documented program for ${name} refuses ${what}`, async () => {
        await assert.rejects(verifier.verify(issue(sample)), (error) => {
          assert.ok(error instanceof TokenError, String(error))
          assert.equal(error.reason, reason)
          return true
        })
      })
    }
  })
}
