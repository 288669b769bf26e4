import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findGuardMark } from '../guard/guard-mark.ts'
import { createGuardCore } from '../guard/guard.ts'
import { createVerifier } from '../guard/verifier.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { assembleGuard } from './assemble-guard.ts'

const issuer = 'https://auth.example'
const keys = keySetOf([generateKey('ES256')])
const verifier = createVerifier({ issuer, audience: 'api', keys, revocations: 'none' })
const scopes = { 'items:read': 'Read items' }
const core = createGuardCore({ verifier, scopes, user: () => ({}) })
const guard = assembleGuard(
  core,
  () => () => {},
  (request: Request) => request,
)

describe('assembleGuard', () => {
  it('assembleGuard returns a function with the members caller, check, anyOf and optional', () => {
    for (const member of [
      guard.caller,
      guard.check,
      guard.anyOf,
      guard.optional,
      guard.optional.caller,
    ])
      assert.equal(typeof member, 'function')
  })

  it('for OpenAPI documents, assembleGuard stores the requirements on the middleware', () => {
    const login = { maxAgeSeconds: undefined, acr: undefined }
    const plain = { alternatives: [[]], ...login, verified: false, optional: false }
    const withScope = { ...plain, alternatives: [['items:read']] }
    const made = [
      [guard('items:read'), withScope],
      [guard({ maxAgeSeconds: 60 }), { ...plain, maxAgeSeconds: 60 }],
      [guard({ acr: 'mfa' }), { ...plain, acr: ['mfa'] }],
      [guard({ verified: true }), { ...plain, verified: true }],
      [guard.optional(), { ...plain, optional: true }],
      [guard.anyOf('items:read'), withScope],
    ] as const
    for (const [middleware, demand] of made)
      assert.deepEqual(findGuardMark(middleware), { issuer, scopes, demand })
    for (const other of [undefined, null, 'guard', () => {}, {}])
      assert.equal(findGuardMark(other), undefined)
  })

  it("assembleGuard stores the requirements under Symbol.for('keystile.guard')", () => {
    assert.deepEqual(Object.getOwnPropertySymbols(guard()), [Symbol.for('keystile.guard')])
  })

  it('guard.check requires a token, but guard.optional.check does not', async () => {
    const anonymous = new Request('http://localhost')
    assert.equal((await guard.check(anonymous)).allowed, false)
    assert.deepEqual(await guard.optional.check(anonymous), { allowed: true, caller: undefined })
  })
})
