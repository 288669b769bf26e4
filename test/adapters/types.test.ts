// Tests the types of guards: this file must compile, and each line below @ts-expect-error must not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import type { Caller, Identity } from 'keystile'
import { createGuard as createExpressGuard, type Guard as ExpressGuard } from 'keystile/express'
import { createGuard as createFastifyGuard, type Guard as FastifyGuard } from 'keystile/fastify'
import { createGuard as createNodeGuard } from 'keystile/node'
import { createGuard as createWebGuard, type Guard as WebGuard } from 'keystile/web'
import { createStage, scopes, type Scope } from './app.ts'

interface Person {
  readonly email: string
}

/** True only when both types are the same. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const same = <A, B>(are: Same<A, B>): void => assert.equal(are, true)

const { verifier } = createStage({ withUser: false }).table.options
const options = {
  verifier,
  scopes,
  user: async ({ subject }: Identity): Promise<Person | undefined> => ({ email: subject }),
}

describe('the types of guards in every framework', () => {
  it('a guard’s type allows only declared scopes, and its caller() has the app’s user type', () => {
    const guards = [
      createExpressGuard(options),
      createFastifyGuard(options),
      createNodeGuard(options),
      createWebGuard(options),
    ] as const
    for (const guard of guards) {
      same<ReturnType<typeof guard.caller>, Caller<Scope, Person>>(true)
      same<ReturnType<typeof guard.optional.caller>, Caller<Scope, Person> | undefined>(true)
      // @ts-expect-error: the scope is not declared
      assert.throws(() => guard('items:raed'), TypeError)
      // @ts-expect-error: the scope is not declared
      assert.throws(() => guard.anyOf('items:read', ['items:raed']), TypeError)
      // @ts-expect-error: the scope is not declared
      assert.throws(() => guard.optional('items:raed'), TypeError)
      assert.ok(guard({ verified: true }))
      // @ts-expect-error: false would demand nothing
      assert.throws(() => guard({ verified: false }), TypeError)
    }
    const annotated: readonly [
      ExpressGuard<Scope, Person>,
      FastifyGuard<Scope, Person>,
      object,
      WebGuard<Scope, Person>,
    ] = guards
    assert.equal(annotated.length, 4)
  })

  it('a route with a guard compiles, and the handler’s parameters keep their types', () => {
    const guard = createExpressGuard(options)
    express().get('/people/:id', guard('items:read'), (req, res) => {
      same<typeof req.params.id, string>(true)
      same<ReturnType<typeof guard.caller>['user'], Person>(true)
      // @ts-expect-error: a person has no name
      void (() => guard.caller(req).user.name)
      res.json(guard.caller(req).user.email)
    })
    const fastifyGuard = createFastifyGuard(options)
    Fastify().get<{ Params: { id: string } }>(
      '/people/:id',
      { onRequest: [fastifyGuard('items:read')], preHandler: fastifyGuard() },
      (request) => {
        same<typeof request.params.id, string>(true)
        return fastifyGuard.caller(request).user.email
      },
    )
    const webGuard = createWebGuard(options)
    const handler = webGuard('items:read')((
      request,
      { user },
      context: { params: { id: string } },
    ) => {
      same<typeof request, Request>(true)
      same<typeof user, Person>(true)
      return Response.json([user.email, context.params.id])
    })
    same<
      typeof handler,
      (request: Request, context: { params: { id: string } }) => Promise<Response>
    >(true)
    // @ts-expect-error: the caller may be undefined
    webGuard.optional()((_request, { user }) => Response.json(user.email))
    webGuard.optional()((_request, caller) => Response.json(caller?.user.email ?? 'nobody'))
  })
})
