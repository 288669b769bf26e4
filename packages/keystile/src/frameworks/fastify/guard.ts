import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AlternativeArguments, Demand, DemandArguments } from '../../guard/demand.ts'
import {
  createGuardCore,
  type Caller,
  type Decision,
  type GuardOptions,
} from '../../guard/guard.ts'
import type { UserObject } from '../../guard/user.ts'
import type { AnswerBody, HttpAnswer, HttpRequest } from '../../http/message.ts'
import { assembleGuard } from '../assemble-guard.ts'
import { rememberRoutes } from './remembered-routes.ts'
import type { Mountable } from '../mountable.ts'
import { nodeHeaders, readCheckedRequest, readNodeRequest } from '../node/node-request.ts'
import { passAsError } from '../thrown.ts'

/**
 * A hook of Fastify: `{ onRequest: guard(…) }` on a route, or `app.addHook('onRequest', guard(…))`
 * for all routes of a plugin.
 */
export type FastifyHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => void

/**
 * Guards of Fastify routes and plugins. The handler asks `guard.caller(request)`. It is written
 * out, for declarations that an app emits would otherwise name files within Fastify.
 */
export interface Guard<S extends string, U> {
  /**
   * Lets in whoever has all these scopes, and logged in lately where that is demanded. @throws
   * {TypeError} for a wrong demand
   */
  (...demand: DemandArguments<S>): FastifyHook
  /**
   * Lets in whoever has one of these scopes, or all of one of these lists. @throws {TypeError} for
   * a wrong demand
   */
  anyOf(...alternatives: AlternativeArguments<S>): FastifyHook
  readonly optional: {
    /**
     * Lets in requests without a credential as well. A credential that is wrong is still refused.
     */
    (...demand: DemandArguments<S>): FastifyHook
    check(
      request: CheckedRequest,
      ...demand: DemandArguments<S>
    ): Promise<Decision<S, U, undefined>>
    /** @throws {TypeError} where no guard ran */
    caller(request: FastifyRequest): Caller<S, U> | undefined
  }
  /**
   * Decides without a route: for an upgrade to a WebSocket, say. Takes a request or anything with
   * `headers.get`.
   */
  check(request: CheckedRequest, ...demand: DemandArguments<S>): Promise<Decision<S, U>>
  /** @throws {TypeError} where no guard ran */
  caller(request: FastifyRequest): Caller<S, U>
}

export type CheckedRequest = FastifyRequest | FastifyRequest['raw'] | HttpRequest

/** Makes the guards of an app from a verifier, or from the object of `createKeystile`. */
export function createGuard<
  S extends string = string,
  U extends UserObject | undefined = undefined,
>(options: GuardOptions<S, U>): Guard<S, U> {
  const core = createGuardCore(options)
  return assembleGuard(
    core,
    (demand: Demand<S>): FastifyHook =>
      (request, reply, done) => {
        // An `onResponse` hook comes when the route has answered: it would guard nothing, without a
        // word.
        if (reply.sent)
          return done(new TypeError('a guard must run before the answer, as an onRequest hook'))
        const read = readNodeRequest(request.raw)
        if (core.enterAtOnce(request, read, demand)) return done()
        core.enter(request, read, demand).then((decision) => {
          if (decision.allowed) done()
          else send(reply, decision.answer)
        }, passAsError(done))
      },
    (request: CheckedRequest) => readCheckedRequest('raw' in request ? request.raw : request),
  )
}

/**
 * A plugin that answers Keystile's own endpoints; every other request goes on to the app. Register
 * it at the app's root, before any route, whatever path the issuer has.
 */
export function mount(keystile: Mountable): (app: FastifyInstance) => Promise<void> {
  return atTheRoot(async (app) => {
    rememberRoutes(app)
    // Before anything is parsed, and for paths that no route has as well.
    app.addHook('onRequest', async (request, reply) => {
      const answer = await keystile.answer(readNodeRequest(request.raw))
      return answer && send(reply, answer)
    })
  })
}

/**
 * A plugin that an app without `mount` registers before its routes, so that `secure` and `describe`
 * see them: Fastify tells of a route only while it is registered.
 */
export const documentRoutes: (app: FastifyInstance) => Promise<void> = atTheRoot(async (app) => {
  rememberRoutes(app)
})

function send(reply: FastifyReply, answer: HttpAnswer<AnswerBody>): FastifyReply {
  const { status, body } = answer
  // As bytes: to a string of JSON Fastify adds a charset.
  return reply
    .code(status)
    .headers(nodeHeaders(answer))
    .send(typeof body === 'string' ? Buffer.from(body) : body)
}

/** Fastify would otherwise keep a plugin's hooks to the plugin. */
function atTheRoot<P extends object>(plugin: P): P {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
