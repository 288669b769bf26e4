import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import {
  createGuard as createExpressGuard,
  type ExpressMiddleware,
  type Guard as ExpressGuard,
} from '../frameworks/express/guard.ts'
import {
  createGuard as createFastifyGuard,
  type FastifyHook,
  type Guard as FastifyGuard,
} from '../frameworks/fastify/guard.ts'
import { createGuard, type Guard } from '../frameworks/hono/guard.ts'
import {
  createGuard as createNodeGuard,
  type Guard as NodeGuard,
} from '../frameworks/node/guard.ts'
import { createGuard as createWebGuard, type Guard as WebGuards } from '../frameworks/web/guard.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import type { Caller } from './guard.ts'
import type { Identity } from './identity.ts'
import { createVerifier } from './verifier.ts'

// The compiler is the test: this file must compile, and each line under @ts-expect-error must be an
// error.

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

// Guards as an app exports them: with type annotations (isolatedDeclarations), or with inferred
// types.
export const guard: Guard<Scope, User> = createGuard({ verifier, scopes, user })
export const fastifyGuard: FastifyGuard<Scope, User> = createFastifyGuard({
  verifier,
  scopes,
  user,
})
export const expressGuard: ExpressGuard<Scope, User> = createExpressGuard({
  verifier,
  scopes,
  user,
})
export const nodeGuard: NodeGuard<Scope, User> = createNodeGuard({ verifier, scopes, user })
export const webGuard: WebGuards<Scope, User> = createWebGuard({ verifier, scopes, user })
export const inferred = createGuard({ verifier, scopes, user: async (identity) => user(identity) })
export const inferredToo = createGuard({ verifier, scopes, user })

/** Accepts only two equal types. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const same = <A, B>(are: Same<A, B>): void => assert.equal(are, true)

describe('the types of a guard', () => {
  it('a guard’s type accepts only declared scopes', () => {
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
    // @ts-expect-error: not declared, although user() accepts an identity with any scopes
    assert.throws(() => inferredToo('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => nodeGuard('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => guard.check(new Request('http://localhost'), 'items:raed'), TypeError)
    // @ts-expect-error: each scope is an argument, not a member of a list
    assert.throws(() => guard(['items:read']), TypeError)
    guard({ scopes: ['items:read'], maxAgeSeconds: 300 })
    nodeGuard.optional({ maxAgeSeconds: 300 })
    guard({ acr: 'mfa' })
    guard({ scopes: ['items:read'], acr: ['phr', 'mfa'] as const })
    nodeGuard.optional({ acr: 'mfa', maxAgeSeconds: 300 })
    // @ts-expect-error: acr is text
    assert.throws(() => guard({ acr: true }), TypeError)
    // @ts-expect-error: acr is text
    assert.throws(() => nodeGuard({ acr: [1] }), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => guard({ scopes: ['items:raed'] }), TypeError)
    // @ts-expect-error: misspelt
    assert.throws(() => guard({ scope: ['items:read'] }), TypeError)
    // @ts-expect-error: an object must be the only argument
    assert.throws(() => nodeGuard('items:read', { maxAgeSeconds: 300 }), TypeError)
  })

  it('the type of user() demands a function that returns a user object, undefined or null', () => {
    interface Account extends User {
      readonly active: boolean
    }
    const accounts = new Map<string, Account>()
    const find = (subject: string): Account | undefined => accounts.get(subject)
    createGuard({ verifier, user: ({ subject }) => find(subject) })
    createGuard({ verifier, user: async ({ subject }) => find(subject) ?? null })
    createGuard({
      verifier,
      user: ({ subject }) => (find(subject)?.active ? find(subject) : undefined),
    })
    createGuard({
      verifier,
      user: ({ subject }) => ({ id: subject, message: 'hello', name: 'Alice' }),
    })
    createGuard({ verifier, user: ({ subject }) => ({ id: subject, length: 7, stack: ['chips'] }) })

    // @ts-expect-error: `user` returns false for a blocked user
    createGuard({ verifier, user: ({ subject }) => find(subject)?.active && find(subject) })
    createNodeGuard({
      verifier,
      // @ts-expect-error: `user` returns a promise of false for a blocked user
      user: async ({ subject }) => find(subject)?.active && find(subject),
    })
    // @ts-expect-error: `user` returns '' for a user without a name
    createFastifyGuard({ verifier, user: ({ subject }) => find(subject)?.name && find(subject) })
    // @ts-expect-error: a boolean is not a user
    createExpressGuard({ verifier, user: ({ subject }) => accounts.has(subject) })
    const rows = (): readonly Account[] => [...accounts.values()]
    // @ts-expect-error: the rows of a query are not a user
    createWebGuard({ verifier, user: async () => rows() })
    // @ts-expect-error: a returned Error is not a refusal
    createGuard({ verifier, user: ({ subject }) => find(subject) ?? new Error('no such user') })
    createGuard({
      verifier,
      // @ts-expect-error: a returned RangeError is not a refusal
      user: ({ subject }) => find(subject) ?? new RangeError('no such user'),
    })
    const giveFind = (): typeof find => find
    // @ts-expect-error: a function is not a user
    createGuard({ verifier, user: giveFind })
    // @ts-expect-error: a subject is not a user
    createGuard({ verifier, user: ({ subject }) => subject })
    // @ts-expect-error: nothing shows that a value of the type `unknown` is a user
    createGuard({ verifier, user: ({ claims }) => claims['user'] })
  })

  it('a handler in a Hono chain gets a typed caller', async () => {
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
        // @ts-expect-error: there may be no caller
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

  it('guard.caller returns a typed caller outside a Hono chain', () => {
    const app = new Hono()
    app.get('/', guard(), (c) => {
      same<ReturnType<typeof guard.caller>['user'], User>(true)
      return c.text(guard.caller(c).user.name)
    })
    same<
      ReturnType<typeof nodeGuard.optional.caller>,
      ReturnType<typeof nodeGuard.caller> | undefined
    >(true)
    same<ReturnType<typeof nodeGuard.caller>['identity'], Identity<Scope>>(true)
  })

  it('guards of every framework accept only declared scopes in TypeScript', () => {
    const request = new Request('http://localhost')

    fastifyGuard('items:read', 'items:write')
    fastifyGuard.optional({ scopes: ['items:read'], maxAgeSeconds: 300, acr: 'mfa' })
    fastifyGuard.anyOf('items:write', ['items:read'])
    // @ts-expect-error: not declared
    assert.throws(() => fastifyGuard('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => fastifyGuard({ scopes: ['items:raed'] }), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => fastifyGuard.optional('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => fastifyGuard.anyOf('items:read', ['items:raed']), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => fastifyGuard.check(request, 'items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => fastifyGuard.optional.check(request, 'items:raed'), TypeError)

    expressGuard('items:read', 'items:write')
    expressGuard.optional({ scopes: ['items:read'], maxAgeSeconds: 300, acr: 'mfa' })
    expressGuard.anyOf('items:write', ['items:read'])
    // @ts-expect-error: not declared
    assert.throws(() => expressGuard('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => expressGuard({ scopes: ['items:raed'] }), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => expressGuard.optional('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => expressGuard.anyOf('items:read', ['items:raed']), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => expressGuard.check(request, 'items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => expressGuard.optional.check(request, 'items:raed'), TypeError)

    // @ts-expect-error: not declared
    assert.throws(() => nodeGuard.optional('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => nodeGuard.anyOf('items:read', ['items:raed']), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => nodeGuard.check(request, 'items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => nodeGuard.optional.check(request, 'items:raed'), TypeError)

    webGuard('items:read', 'items:write')
    webGuard.optional({ scopes: ['items:read'], maxAgeSeconds: 300, acr: 'mfa' })
    webGuard.anyOf('items:write', ['items:read'])
    // @ts-expect-error: not declared
    assert.throws(() => webGuard('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => webGuard({ scopes: ['items:raed'] }), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => webGuard.optional('items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => webGuard.anyOf('items:read', ['items:raed']), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => webGuard.check(request, 'items:raed'), TypeError)
    // @ts-expect-error: not declared
    assert.throws(() => webGuard.optional.check(request, 'items:raed'), TypeError)

    guard.anyOf('items:write', ['items:read'])
    // @ts-expect-error: not declared
    assert.throws(() => guard.anyOf('items:read', ['items:raed']), TypeError)
    // @ts-expect-error: anyOf takes no acr
    assert.throws(() => guard.anyOf({ acr: 'mfa' }), TypeError)
    // @ts-expect-error: anyOf takes no maxAgeSeconds
    assert.throws(() => guard.anyOf({ scopes: ['items:read'], maxAgeSeconds: 300 }), TypeError)
  })

  it('guard.caller returns a typed caller in Fastify', () => {
    const app = Fastify()
    app.addHook('onRequest', fastifyGuard.optional())
    app.get('/', { onRequest: fastifyGuard('items:read') }, (request) => {
      const caller = fastifyGuard.caller(request)
      same<typeof caller, Caller<Scope, User>>(true)
      same<typeof caller.identity.scopes, readonly Scope[]>(true)
      // @ts-expect-error: a user has no e-mail here
      void caller.user.email
      return { name: caller.user.name }
    })
    app.get('/news', { preHandler: [fastifyGuard.optional()] }, (request) => {
      // @ts-expect-error: there may be no caller
      void (() => fastifyGuard.optional.caller(request).user)
      return fastifyGuard.optional.caller(request)?.user.name ?? 'nobody'
    })
    same<ReturnType<typeof fastifyGuard.anyOf>, FastifyHook>(true)
  })

  it('guard.caller returns a typed caller in Express', () => {
    const app = express().use(expressGuard.optional())
    app.get('/:id', expressGuard('items:read'), (req, res) => {
      // Express infers the parameters of the path even with a guard before the handler.
      same<typeof req.params.id, string>(true)
      const caller = expressGuard.caller(req)
      same<typeof caller, Caller<Scope, User>>(true)
      same<typeof caller.identity.scopes, readonly Scope[]>(true)
      // @ts-expect-error: a user has no e-mail here
      void caller.user.email
      res.json({ name: caller.user.name })
    })
    app.get('/news', expressGuard.optional(), (req, res) => {
      // @ts-expect-error: there may be no caller
      void (() => expressGuard.optional.caller(req).user)
      res.json(expressGuard.optional.caller(req)?.user.name ?? 'nobody')
    })
    same<ReturnType<typeof expressGuard.anyOf>, ExpressMiddleware>(true)
  })

  it('the handler of a web guard gets a typed caller, then other typed arguments', async () => {
    const handle = webGuard('items:read')((_request, caller, context: { readonly id: string }) => {
      same<typeof caller, Caller<Scope, User>>(true)
      same<typeof caller.identity.scopes, readonly Scope[]>(true)
      // @ts-expect-error: a user has no e-mail here
      void caller.user.email
      return Response.json({ id: context.id, name: caller.user.name })
    })
    const news = webGuard.optional()((_request, caller) => {
      // @ts-expect-error: there may be no caller
      void (() => caller.user)
      return new Response(caller?.user.name ?? 'nobody')
    })
    // @ts-expect-error: the handler needs a further argument
    void (() => handle(new Request('http://localhost')))
    assert.equal((await handle(new Request('http://localhost'), { id: '1' })).status, 401)
    assert.equal(await (await news(new Request('http://localhost'))).text(), 'nobody')
  })

  it('guard.check returns a decision whose caller is typed', async () => {
    const request = new Request('http://localhost')
    const decisions = [
      await guard.check(request, 'items:read'),
      await fastifyGuard.check(request, 'items:read'),
      await expressGuard.check(request, 'items:read'),
      await nodeGuard.check(request, 'items:read'),
      await webGuard.check(request, 'items:read'),
    ]
    for (const decision of decisions) {
      // @ts-expect-error: a refusal has no caller, and `allowed` is not checked yet
      void decision.caller
      if (decision.allowed) same<typeof decision.caller, Caller<Scope, User>>(true)
      else assert.equal(decision.answer.status, 401)
    }
    const decision = await webGuard.optional.check(request)
    assert.ok(decision.allowed)
    same<typeof decision.caller, Caller<Scope, User> | undefined>(true)
    assert.equal(decision.caller, undefined)
  })

  it('guards add no members to the request types of a framework', () => {
    const members = (): void => {
      const request = null as unknown as import('fastify').FastifyRequest &
        import('express').Request
      // @ts-expect-error: not declared, because each guard has its own type of caller
      void request.identity
      // @ts-expect-error: not declared
      void request.user
      // @ts-expect-error: not declared
      void request.caller
    }
    assert.equal(typeof members, 'function')
  })

  it('without user(), the caller of a guard has no user', () => {
    const plain = createGuard({ verifier })
    same<ReturnType<typeof plain.caller>['user'], undefined>(true)
    plain('whatever')
  })

  it('TypeScript requires the option `revocations` of createVerifier', () => {
    const options = { issuer: 'a', audience: 'b', keys: keySetOf([generateKey('ES256')]) }
    // @ts-expect-error: revocations has no default
    assert.throws(() => createVerifier(options), TypeError)
    // @ts-expect-error: neither 'none' nor an object
    assert.throws(() => createVerifier({ ...options, revocations: 'later' }), TypeError)
  })

  it('clientId of an identity can be undefined only with `tokenType: JWT`', () => {
    const options = { issuer: 'a', audience: 'b', keys: keySetOf([generateKey('ES256')]) }
    const plain = createVerifier({ ...options, revocations: 'none', tokenType: 'JWT' })
    same<Awaited<ReturnType<typeof plain.verify>>['clientId'], string | undefined>(true)
    same<Awaited<ReturnType<typeof verifier.verify>>['clientId'], string>(true)

    const hono = createGuard({ verifier: plain, scopes })
    same<ReturnType<typeof hono.caller>['identity'], Identity<Scope, 'JWT'>>(true)
    same<ReturnType<typeof hono.caller>['identity']['claims']['jti'], string | undefined>(true)

    // A guard for any issuer also takes a verifier of RFC 9068 tokens, but not the reverse.
    const plainGuard: Guard<string, undefined, 'JWT'> = createGuard({ verifier: plain })
    const strict: Guard<string, undefined> = createGuard({ verifier })
    // @ts-expect-error: the identity may lack a client
    const wrong: Guard<string, undefined> = createGuard({ verifier: plain })
    assert.deepEqual(
      [plainGuard, strict, wrong].map((one) => typeof one),
      Array(3).fill('function'),
    )
  })

  it('the members of an identity are read-only in TypeScript', () => {
    const write = (identity: Identity<Scope>): void => {
      // @ts-expect-error: the member is read-only
      identity.subject = 'root'
      // @ts-expect-error: the member is read-only
      identity.scopes.push('items:write')
      // @ts-expect-error: the member is read-only
      identity.claims.sub = 'root'
    }
    assert.equal(typeof write, 'function')
  })

  it('TypeScript requires whenStale and clientSecret in the option `revocations`', () => {
    const from = { issuer: 'https://auth.example', audience: 'https://api.example' }
    const client = { clientId: 'orders', clientSecret: 'pX3' }
    const make = (): unknown => [
      createVerifier({ ...from, revocations: { ...client, whenStale: 'refuse' } }),
      // @ts-expect-error: whenStale has no default
      createVerifier({ ...from, revocations: client }),
      // @ts-expect-error: whenStale is 'accept' or 'refuse'
      createVerifier({ ...from, revocations: { ...client, whenStale: 'ignore' } }),
      // @ts-expect-error: the secret is missing
      createVerifier({ ...from, revocations: { clientId: 'orders', whenStale: 'accept' } }),
      // @ts-expect-error: revocations has no default
      createVerifier(from),
    ]
    assert.equal(typeof make, 'function')
  })
})
