import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGuardCore } from '../guard/guard.ts'
import { findGuardMark } from '../guard/guard-mark.ts'
import { createVerifier } from '../guard/verifier.ts'
import { generateKey } from '../keys/jwk.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { assembleGuard } from './assemble-guard.ts'

const issuer = 'https://auth.example'
const keys = keySetOf([generateKey('ES256')])
const verifier = createVerifier({ issuer, audience: 'api', keys, revocations: 'none' })
const scopes = { 'items:read': 'Read items' }
const core = createGuardCore({ verifier, scopes })
const guard = assembleGuard(
  core,
  () => () => {},
  (request: Request) => request,
)

describe('assembleGuard', () => {
  it('gives a function members, "caller" among them, which every function inherits with a setter that throws', () => {
    for (const member of [
      guard.caller,
      guard.check,
      guard.anyOf,
      guard.optional,
      guard.optional.caller,
    ])
      assert.equal(typeof member, 'function')
  })

  it('marks what it makes with what is demanded, for whoever documents it', () => {
    const made = [
      [
        guard('items:read'),
        { alternatives: [['items:read']], maxAgeSeconds: undefined, optional: false },
      ],
      [guard({ maxAgeSeconds: 60 }), { alternatives: [[]], maxAgeSeconds: 60, optional: false }],
      [guard.optional(), { alternatives: [[]], maxAgeSeconds: undefined, optional: true }],
      [
        guard.anyOf('items:read'),
        { alternatives: [['items:read']], maxAgeSeconds: undefined, optional: false },
      ],
    ] as const
    for (const [middleware, demand] of made)
      assert.deepEqual(findGuardMark(middleware), { issuer, scopes, demand })
    for (const other of [undefined, null, 'guard', () => {}, {}])
      assert.equal(findGuardMark(other), undefined)
  })

  it('marks by a name that other copies of the package, also of other versions, find', () => {
    assert.deepEqual(Object.getOwnPropertySymbols(guard()), [Symbol.for('keystile.guard')])
  })

  it('has a check that wants somebody, and one that does not', async () => {
    const nobody = new Request('http://localhost')
    assert.equal((await guard.check(nobody)).allowed, false)
    assert.deepEqual(await guard.optional.check(nobody), { allowed: true, caller: undefined })
  })
})
