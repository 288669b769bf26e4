// The guard without a framework: it authenticates a request and decides whether to admit it. The
// adapters in frameworks/ add the middleware. The other files of this room, in the order in which a
// request meets them:
//
// - `guard-options.ts`: what an app passes to `createGuard`.
// - `schemes.ts` and `schemes/`: where the credential of a request is.
// - `verifier.ts` and `prover.ts`: verify a token, or find it in the cache of `verified-tokens.ts`.
//   `trusted-issuers.ts` chooses the keys, and `token-rules.ts` the checks.
// - `identity.ts`: who calls, with which scopes. `shared-scopes.ts` keeps equal lists once.
// - `revocations.ts`: whether the token was revoked. `revocation-source.ts` reads the option.
//   `revocation-feed.ts`, with `feed-*.ts` and `retries.ts`, tells how an API on another machine
//   learns this.
// - `login-demand.ts`: what a guard demands of the login: its age and strength.
// - `demand.ts`: all that a guard demands. If a request passes several guards, it joins their
//   demands.
// - `user.ts`: what counts as a user. `user-recall.ts` finds the function that returns users from
//   memory, so that a guard that loads users can admit a request without waiting too.
// - `refusal-report.ts`: tells the app, and not the caller, why a request was refused.
// - `protected-resource.ts`: metadata of the API, whose URL the challenges contain.
// - `guard-mark.ts`: the mark by which openapi/ finds the demand of a guard.
import { TokenError, tokenError } from '../base/errors.ts'
import type { HttpAnswer, HttpRequest } from '../http/message.ts'
import { tokenRefusalAnswer } from '../http/problem.ts'
import { isMetBy, joinDemands, readAlternatives, readDemand } from './demand.ts'
import type { AlternativeArguments, Demand, DemandArguments } from './demand.ts'
import { readOptions, type GuardOptions } from './guard-options.ts'
import type { Identity, TokenType } from './identity.ts'
import { findMetadataUrl } from './protected-resource.ts'
import { createRefusalReport } from './refusal-report.ts'
import { proveIdentity, recallIdentity } from './schemes.ts'
import { isUserObject, isVerifiedUser } from './user.ts'
import type { Verifier } from './verifier.ts'

export interface Caller<S extends string, U, T extends TokenType = 'at+jwt'> {
  readonly identity: Identity<S, T>
  readonly user: U
}

/**
 * The result of a check. The third type parameter is `undefined` for an optional guard, which also
 * admits requests without a token.
 */
export type Decision<S extends string, U, Nobody = never, T extends TokenType = 'at+jwt'> =
  | { readonly allowed: true; readonly caller: Caller<S, U, T> | Nobody }
  | { readonly allowed: false; readonly error: TokenError; readonly answer: HttpAnswer }

/** A guard without a framework. Each adapter calls it. */
export interface GuardCore<S extends string, U, T extends TokenType = 'at+jwt'> {
  readonly issuer: string
  readonly scopes: Readonly<Record<string, string>> | undefined
  /**
   * Reads the arguments of `guard(…)`.
   *
   * @throws {TypeError} if a scope is not declared, `maxAgeSeconds` is not a number above 0,
   *   `acr` is not a string or a list of strings, or `verified` is demanded of a guard without
   *   `user`
   */
  demand(args: DemandArguments<S>, optional: boolean): Demand<S>
  /**
   * Reads the arguments of `guard.anyOf(…)`.
   *
   * @throws {TypeError} if a scope is not declared, or there is no scope
   */
  demandAnyOf(args: AlternativeArguments<S>): Demand<S>
  /**
   * Decides whether to admit a request. Checks in this order: there is a credential, the
   * credential is well-formed, the token is valid, the token is not revoked, the login is recent
   * and strong enough, the token has the scopes, the user exists, the user's e-mail address is
   * verified. A sender cannot make `check` throw.
   */
  check(request: HttpRequest, demand: Demand<S>): Promise<Decision<S, U, undefined, T>>
  /**
   * Checks a request and stores the admitted caller on the framework's own request object, the
   * carrier. If another guard has already admitted this request, `enter` checks both demands
   * together and does not load the user again.
   *
   * @param routeOf returns the pattern of the route. Only called for a refusal.
   */
  enter<Carrier extends object>(
    carrier: Carrier,
    request: HttpRequest,
    demand: Demand<S>,
    routeOf?: (carrier: Carrier) => string | undefined,
  ): Promise<Decision<S, U, undefined, T>>
  /**
   * Admits a request synchronously if the token is cached and still valid, has the demanded scopes,
   * and its user is in memory. Otherwise returns `undefined`, and the adapter must call `enter`,
   * which decides. Also returns `undefined` if the demand has `maxAgeSeconds` or `acr`, or if a
   * guard has already admitted this request.
   */
  enterAtOnce(carrier: object, request: HttpRequest, demand: Demand<S>): Caller<S, U, T> | undefined
  /**
   * Returns the caller of an admitted request; `undefined` if the request has no token and an
   * optional guard admitted it.
   *
   * @throws {TypeError} if no guard has admitted the request
   */
  callerOf(carrier: object): Caller<S, U, T> | undefined
}

/**
 * Creates a guard from its options.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function createGuardCore<S extends string, U, T extends TokenType = 'at+jwt'>(
  options: GuardOptions<S, U, T>,
): GuardCore<S, U, T> {
  const { verifier, declared, findUser, recallUser } = readOptions(options)
  const decide = createDecide<S, U, T>(verifier, findUser)
  const report = createRefusalReport('createGuard', options)

  // The guard stores its entry in the request object itself: for a cached token, a look-up in a
  // WeakMap would take longer than all other work. The symbol is private, so the app cannot set the
  // member by accident.
  const entered = Symbol('entered')
  interface Entry {
    readonly caller: Caller<S, U, T> | undefined
    readonly demand: Demand<S>
  }
  type Carrier = { [entered]?: Entry }

  return {
    issuer: verifier.issuer,
    scopes: declared,
    demand: (args, optional) =>
      readDemand(args, { optional, declared, hasUsers: findUser !== undefined }),
    demandAnyOf: (args) => readAlternatives(args, declared),
    async check(request, demand) {
      const decision = await decide(request, demand)
      if (!decision.allowed) report(decision.error, request.method)
      return decision
    },
    async enter<C extends Carrier>(
      carrier: C,
      request: HttpRequest,
      demand: Demand<S>,
      routeOf?: (carrier: C) => string | undefined,
    ) {
      const before = carrier[entered]
      const joined = before ? joinDemands(before.demand, demand) : demand
      const decision = await decide(request, joined, before?.caller)
      if (decision.allowed) carrier[entered] = { caller: decision.caller, demand: joined }
      else report(decision.error, request.method, routeOf?.(carrier))
      return decision
    },
    // decisions/0011-synchronous-fast-path.md
    enterAtOnce(carrier: Carrier, request, demand) {
      if (findUser && !recallUser) return undefined
      if (demand.maxAgeSeconds !== undefined || demand.acr || carrier[entered]) return undefined

      const identity = recall(request, verifier)
      if (!identity || !isMetBy(demand, identity.scopes)) return undefined

      const user = recallUser?.(identity)
      if (recallUser && user === undefined) return undefined
      if (demand.verified && !isVerifiedUser(user)) return undefined

      // `S` has the scopes of this API; a token may have more. Without the option `user`, `U` is
      // undefined.
      const caller = { identity: identity as Identity<S, T>, user: user as U }
      carrier[entered] = { caller, demand }
      return caller
    },
    callerOf(carrier: Carrier) {
      const entry = carrier[entered]
      if (!entry) throw noGuardRan()
      return entry.caller
    },
  }
}

function noGuardRan(): TypeError {
  return new TypeError(
    'no guard ran for this request. ' +
      'Fix: put guard(…) before the handler that calls guard.caller(…)',
  )
}

/**
 * Creates the function that decides about a request. That function turns a `TokenError` into a
 * refusal. It throws any other error, because such an error is a bug and must not look like a
 * refusal.
 */
function createDecide<S extends string, U, T extends TokenType>(
  verifier: Verifier<T>,
  findUser: GuardOptions<S, U, T>['user'],
) {
  const authenticate = createAuthentication<S, U, T>(verifier, findUser)

  return async function decide(
    request: HttpRequest,
    demand: Demand<S>,
    before?: Caller<S, U, T>,
  ): Promise<Decision<S, U, undefined, T>> {
    try {
      return { allowed: true, caller: await authenticate(request, demand, before) }
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      const answer = tokenRefusalAnswer(error, verifier.issuer, findMetadataUrl(verifier))
      return { allowed: false, error, answer }
    }
  }
}

/**
 * Creates the function that finds the caller of a request. That function runs the checks in the
 * order that `GuardCore.check()` lists, and throws a `TokenError` for the first check that fails.
 */
function createAuthentication<S extends string, U, T extends TokenType>(
  verifier: Verifier<T>,
  findUser: GuardOptions<S, U, T>['user'],
) {
  return async function authenticate(
    request: HttpRequest,
    demand: Demand<S>,
    before?: Caller<S, U, T>,
  ): Promise<Caller<S, U, T> | undefined> {
    const proving = proveIdentity(request, verifier, demand)
    if (proving === 'no_credential') {
      if (demand.optional) return undefined
      throw tokenError('no_credential')
    }

    const identity = (await proving) as Identity<S, T>
    if (!isMetBy(demand, identity.scopes)) {
      throw tokenError('missing_scope', { scopes: demand.alternatives[0] })
    }

    // The verifier's cache returns the same object for the same token. The guard that ran before
    // has already loaded the user of this token.
    const caller =
      before?.identity === identity
        ? before
        : { identity, user: findUser ? requireUser(await findUser(identity)) : (undefined as U) }

    if (demand.verified && !isVerifiedUser(caller.user)) throw tokenError('email_not_verified')
    return caller
  }
}

/**
 * Requires that the app's function `user` found a user.
 *
 * @throws {TokenError} with the reason `unknown_user`, if `user` returned `undefined` or `null`
 * @throws {TypeError} if `user` returned any other value that is not an object
 */
function requireUser<U>(user: U | undefined | null): U {
  if (user === undefined || user === null) throw tokenError('unknown_user')
  // `user?.active && user` is `false` for a blocked user. The guard must not admit the request.
  if (!isUserObject(user)) {
    throw new TypeError(
      'the function `user` of a guard must return an object; if there is no user, ' +
        'it must return undefined or null',
    )
  }
  return user
}

/**
 * Calls `recallIdentity`, but returns `undefined` if `recallIdentity` throws. The app's own
 * `revocations` may throw, and in some frameworks a synchronous error would end the process. After
 * `undefined`, the adapter calls `enter`. `enter` calls `revocations` again, and the error reaches
 * the framework as a rejected promise.
 */
function recall(
  request: HttpRequest,
  verifier: Verifier<TokenType>,
): Identity<string, TokenType> | undefined {
  try {
    return recallIdentity(request, verifier)
  } catch {
    // `enter` calls the verifier again and reports the error.
  }
  return undefined
}

/**
 * Returns the caller of a request that needs a token.
 *
 * @throws {TypeError} if no guard has admitted the request, or an optional guard admitted it
 *   without a token
 */
export function requireCaller<S extends string, U, T extends TokenType>(
  core: GuardCore<S, U, T>,
  carrier: object,
): Caller<S, U, T> {
  const caller = core.callerOf(carrier)
  if (!caller) {
    throw new TypeError(
      'the guard of this route is optional and the request has no token: ' +
        'call guard.optional.caller(…), which returns undefined for such a request',
    )
  }
  return caller
}
