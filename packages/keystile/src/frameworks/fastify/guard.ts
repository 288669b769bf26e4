import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AlternativeArguments, Demand, DemandArguments } from '../../guard/demand.ts'
import type { GuardOptions } from '../../guard/guard-options.ts'
import { createGuardCore, type Caller, type Decision } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import type { UserObject } from '../../guard/user.ts'
import type { HttpRequest } from '../../http/message.ts'
import { assembleGuard } from '../assemble-guard.ts'
import { acceptMountable, type Mountable } from '../mountable.ts'
import { readCheckedRequest, readNodeHead, readNodeRequest } from '../node/node-request.ts'
import { passAsError } from '../pass-as-error.ts'
import { recordRoutes } from './recorded-routes.ts'
import { sendAnswer } from './send-answer.ts'

/**
 * A Fastify hook: `{ onRequest: guard(…) }` guards one route, and
 * `app.addHook('onRequest', guard(…))` guards all routes of a plugin.
 */
export type FastifyHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => void

/**
 * Guards for Fastify routes and plugins. The handler calls `guard.caller(request)`. This interface
 * does not extend `AssembledGuard`. If it did, the `.d.ts` files that TypeScript emits for an app
 * would import internal files of Fastify.
 */
export interface Guard<S extends string, U, T extends TokenType = 'at+jwt'> {
  /**
   * Admits a request if the caller has all of these scopes. With `maxAgeSeconds`, the caller must
   * also have logged in recently enough; with `acr`, strongly enough; with `verified`, the caller
   * must also have a verified e-mail address. Refuses all other requests.
   *
   * @throws {TypeError} for a wrong argument
   */
  (...demand: DemandArguments<S>): FastifyHook
  /**
   * Admits a caller that has one of the given scopes, or all scopes of one of the given lists.
   *
   * @throws {TypeError} for a wrong argument
   */
  anyOf(...alternatives: AlternativeArguments<S>): FastifyHook
  readonly optional: {
    /** Like `guard(…)`, but admits a request without a credential. Refuses a wrong credential. */
    (...demand: DemandArguments<S>): FastifyHook
    check(
      request: CheckedRequest,
      ...demand: DemandArguments<S>
    ): Promise<Decision<S, U, undefined, T>>
    /**
     * Returns the caller of an admitted request; `undefined` for a request without a credential.
     *
     * @throws {TypeError} if no guard ran for the request
     */
    caller(request: FastifyRequest): Caller<S, U, T> | undefined
  }
  /**
   * Checks a request that has no route, for example a WebSocket upgrade. Takes a request, or an
   * object with a method, a URL and `headers.get`.
   */
  check(request: CheckedRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U, never, T>>
  /**
   * Returns the caller of an admitted request.
   *
   * @throws {TypeError} if no guard ran for the request, or if only an optional guard ran and the
   *   request has no credential
   */
  caller(request: FastifyRequest): Caller<S, U, T>
}

export type CheckedRequest = FastifyRequest | FastifyRequest['raw'] | HttpRequest

/**
 * Creates the guards of an app from a verifier, or from the object of `createKeystile`.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
  T extends TokenType = 'at+jwt',
>(options: GuardOptions<S, U, T>): Guard<S, U, T> {
  const core = createGuardCore(options)
  return assembleGuard(
    core,
    (demand: Demand<S>): FastifyHook =>
      (request, reply, done) => {
        // An `onResponse` hook runs after the answer, so a guard there would silently protect
        // nothing.
        if (reply.sent) {
          return done(new TypeError('a guard must run before the answer, as an onRequest hook'))
        }

        const read = readNodeHead(request.raw)
        if (core.enterAtOnce(request, read, demand)) return done()

        core.enter(request, read, demand, routeOf).then((decision) => {
          if (decision.allowed) done()
          else sendAnswer(reply, decision.answer)
        }, passAsError(done))
      },
    (request: CheckedRequest) => readCheckedRequest('raw' in request ? request.raw : request),
  )
}

/** Returns the pattern of the route; `undefined` for a path without a route. */
function routeOf({ routeOptions }: FastifyRequest): string | undefined {
  return routeOptions.url
}

/**
 * Creates a plugin that answers requests to Keystile's own endpoints, or to the metadata of
 * `protectedResource`. All other requests go on to the app. Register the plugin at the root of the
 * app, before any route and without a prefix.
 */
export function mount(mountable: Mountable): (app: FastifyInstance) => Promise<void> {
  acceptMountable(mountable)
  return atTheRoot(async (app) => {
    recordRoutes(app)
    // This hook runs before the body is parsed, and also for paths without a route.
    app.addHook('onRequest', async (request, reply) => {
      const answer = await mountable.answer(readNodeRequest(request.raw))
      return answer && sendAnswer(reply, answer)
    })
  })
}

/**
 * A plugin that records the routes of an app for `secure()` and `describe()`. Register it before
 * the routes, because Fastify reports a route only when the app registers it. An app that uses
 * `mount()` does not need this plugin.
 */
export const documentRoutes: (app: FastifyInstance) => Promise<void> = atTheRoot(async (app) => {
  recordRoutes(app)
})

/** Makes a plugin's hooks apply to the whole app. By default they apply only within the plugin. */
function atTheRoot<P extends object>(plugin: P): P {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
