import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Hono } from 'hono'
import { createGuard, type Guard } from '../adapters/hono.ts'
import { createGuard as createNodeGuard, type Guard as NodeGuard } from '../adapters/node.ts'
import { generateKey } from '../keys/jwk.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { createVerifier, type Identity } from './verifier.ts'

// What matters here is that this file compiles, and that each line under @ts-expect-error does not.

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
type Scope = keyof typeof scopes
interface User {
  readonly id: string
  readonly name: string
}

const verifier = createVerifier({
  issuer: 'https://auth.example',
  audience: 'https://api.example',
  keys: keySetOf([generateKey('ES256')]),
  revocations: 'none',
})
const user = (identity: Identity): User => ({ id: identity.subject, name: 'Alice' })

// As an app exports them: annotated (isolatedDeclarations) or inferred.
export const guard: Guard<Scope, User> = createGuard({ verifier, scopes, user })
export const nodeGuard: NodeGuard<Scope, User> = createNodeGuard({ verifier, scopes, user })
export const inferred = createGuard({ verifier, scopes, user: async (identity) => user(identity) })
export const inferredToo = createGuard({ verifier, scopes, user })

/** Holds only where both types are the same. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const same = <A, B>(are: Same<A, B>): void => assert.equal(are, true)

describe('the types of a guard', () => {
  it('know the declared scopes', () => {
    guard('items:read', 'items:write')
    inferred.optional('items:read')
    // @ts-expect-error: not declared
    assert.throws(() => guard('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => guard('items:read', 'admin'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => guard.optional('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => inferred('items:raed'), TypeError)
    // @ts-expect-error: not declared, though user() takes the identity whatever its scopes
    assert.throws(() => inferredToo('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => nodeGuard('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => guard.check(new Request('http://localhost'), 'items:raed'), TypeError)
    // @ts-expect-error: scopes are given one by one
    assert.throws(() => guard(['items:read']), TypeError)
    guard({ scopes: ['items:read'], maxAgeSeconds: 300 })
    nodeGuard.optional({ maxAgeSeconds: 300 })
    // @ts-expect-error: not declared
    assert.throws(() => guard({ scopes: ['items:raed'] }), TypeError)
    // @ts-expect-error: misspelt
    assert.throws(() => guard({ scope: ['items:read'] }), TypeError)
    // @ts-expect-error: an object stands alone
    assert.throws(() => nodeGuard('items:read', { maxAgeSeconds: 300 }), TypeError)
  })

  it('know the caller in a chain', async () => {
    const app = new Hono()
      .get('/', guard('items:read'), (c) => {
        same<typeof c.var.user, User>(true)
        same<typeof c.var.identity, Identity<Scope>>(true)
        // @ts-expect-error: a user has no e-mail here
        void c.var.user.email
        return c.text(c.var.user.name)
      })
      .get('/news', guard.optional(), (c) => {
        same<typeof c.var.user, User | undefined>(true)
        // @ts-expect-error: nobody may be calling
        void (() => c.var.user.name)
        return c.text(c.var.user?.name ?? 'nobody')
      })
      .get('/inferred', inferred(), (c) => {
        same<typeof c.var.user, User>(true)
        return c.text(c.var.user.id)
      })
    assert.equal((await app.request('/')).status, 401)
    assert.equal(await (await app.request('/news')).text(), 'nobody')
  })

  it('know the caller outside a chain', () => {
    const app = new Hono()
    app.get('/', guard(), (c) => {
      same<ReturnType<typeof guard.caller>['user'], User>(true)
      return c.text(guard.caller(c).user.name)
    })
    same<ReturnType<typeof nodeGuard.optional.caller>, ReturnType<typeof nodeGuard.caller> | undefined>(true)
    same<ReturnType<typeof nodeGuard.caller>['identity'], Identity<Scope>>(true)
  })

  it('know that there is no user without a directory of users', () => {
    const plain = createGuard({ verifier })
    same<ReturnType<typeof plain.caller>['user'], undefined>(true)
    plain('whatever')
  })

  it('refuse a verifier without a choice about revocations', () => {
    const options = { issuer: 'a', audience: 'b', keys: keySetOf([generateKey('ES256')]) }
    // @ts-expect-error: revocations has no default
    assert.throws(() => createVerifier(options), TypeError)
    // @ts-expect-error: no such choice
    assert.throws(() => createVerifier({ ...options, revocations: 'later' }), TypeError)
  })

  it('let nobody write to an identity', () => {
    const write = (identity: Identity<Scope>): void => {
      // @ts-expect-error: read only
      identity.subject = 'root'
      // @ts-expect-error: read only
      identity.scopes.push('items:write')
      // @ts-expect-error: read only
      identity.claims.sub = 'root'
    }
    assert.equal(typeof write, 'function')
  })
})
