import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRevocationList } from './revocations.ts'

const token = { sessionId: 's1', subject: 'alice', clientId: 'web', keyId: 'k1' }

describe('createRevocationList', () => {
  it('revoking a session revokes only the tokens of this session', () => {
    const list = createRevocationList()
    list.add({ kind: 'session', value: 's1', expiresAt: 1_000 })
    assert.equal(list.isRevoked(token), true)
    assert.equal(list.isRevoked({ ...token, sessionId: 's2' }), false)
    assert.equal(list.isRevoked({ ...token, sessionId: undefined }), false)
    assert.equal(list.isRevoked({ sessionId: 's2', subject: 's1', clientId: 's1' }), false)
  })

  it('revoking a subject revokes every session of this subject', () => {
    const list = createRevocationList()
    list.add({ kind: 'subject', value: 'alice', expiresAt: 1_000 })
    assert.equal(list.isRevoked(token), true)
    assert.equal(list.isRevoked({ ...token, sessionId: undefined }), true)
    assert.equal(list.isRevoked({ sessionId: 'alice', subject: 'bob', clientId: 'alice' }), false)
  })

  it('revoking a client revokes all tokens of this client', () => {
    const list = createRevocationList()
    list.add({ kind: 'client', value: 'web', expiresAt: 1_000 })
    assert.equal(list.isRevoked(token), true)
    assert.equal(list.isRevoked({ sessionId: undefined, subject: 'web', clientId: 'web' }), true)
    assert.equal(list.isRevoked({ sessionId: 'web', subject: 'web', clientId: 'other' }), false)
  })

  it('revoking a key revokes all tokens that this key signed', () => {
    const list = createRevocationList()
    list.add({ kind: 'key', value: 'k1', expiresAt: 1_000 })
    assert.equal(list.isRevoked(token), true)
    assert.equal(list.isRevoked({ ...token, keyId: 'k2' }), false)
    assert.equal(list.isRevoked({ ...token, keyId: undefined }), false)
    assert.equal(list.isRevoked({ ...token, subject: 'k1', clientId: 'k1', keyId: 'k2' }), false)
  })

  it('a new revocation list revokes nothing', () => {
    const list = createRevocationList()
    for (const name of ['__proto__', 'constructor', 'undefined']) {
      assert.equal(list.isRevoked({ sessionId: name, subject: name, clientId: name }), false)
    }
  })

  it('a revocation list keeps an event until the time in `expiresAt`', () => {
    const list = createRevocationList()
    list.add({ kind: 'session', value: 's1', expiresAt: 1_000 })
    list.purge(999)
    assert.equal(list.isRevoked(token), true)
    list.purge(1_000)
    assert.equal(list.isRevoked(token), false)
  })

  it('a second revocation with an earlier expiry does not shorten the first revocation', () => {
    for (const [kind, value] of [
      ['session', 's1'],
      ['subject', 'alice'],
      ['client', 'web'],
      ['key', 'k1'],
    ] as const) {
      const list = createRevocationList()
      list.add({ kind, value, expiresAt: 2_000 })
      list.add({ kind, value, expiresAt: 1_000 })
      list.purge(1_500)
      assert.equal(list.isRevoked(token), true)
    }
  })
})
