import { TokenError, tokenError } from '../base/errors.ts'
import { requireKnownOptions } from '../base/options.ts'
import type { HttpAnswer, HttpRequest } from '../http/message.ts'
import { tokenRefusalAnswer } from '../http/problem.ts'
import { isMetBy, joinDemands, readAlternatives, readDemand } from './demand.ts'
import type { AlternativeArguments, Demand, DemandArguments } from './demand.ts'
import type { Identity } from './identity.ts'
import { proveIdentity, recallIdentity } from './schemes.ts'
import { isUserObject } from './user.ts'
import type { Verifier } from './verifier.ts'

/** What a guard is made from. The object of `createKeystile` is one. */
export interface GuardOptions<S extends string, U> {
  readonly verifier: Verifier
  /** The declared scopes, each with its description. When given, a guard cannot demand another. */
  readonly scopes?: Readonly<Record<S, string>>
  /**
   * Returns the app's user for an identity: an object. `undefined` or `null` means that the user
   * does not exist or may not come in, and the answer is 401. Any other value is a bug of the app:
   * a `TypeError`, which the framework answers with 500.
   */
  user?(identity: Identity<NoInfer<S>>): U | undefined | null | Promise<U | undefined | null>
}

const guardOptions = ['verifier', 'scopes', 'user']
/** What else is in the object of `createKeystile` and in a test issuer, which are passed whole. */
const otherMembers = [
  'issuer',
  'sessions',
  'answer',
  'fetch',
  'close',
  'audience',
  'token',
  'headers',
  'revoke',
  'advance',
]

/** Who a guarded route was called by. */
export interface Caller<S extends string, U> {
  readonly identity: Identity<S>
  readonly user: U
}

/** `Nobody` is `undefined` where the guard is optional. */
export type Decision<S extends string, U, Nobody = never> =
  | { readonly allowed: true; readonly caller: Caller<S, U> | Nobody }
  | { readonly allowed: false; readonly error: TokenError; readonly answer: HttpAnswer }

/** A guard without a framework: what every adapter asks. */
export interface GuardCore<S extends string, U> {
  readonly issuer: string
  readonly scopes: Readonly<Record<string, string>> | undefined
  /** @throws {TypeError} when a scope was not declared, or an age is no number above 0 */
  demand(args: DemandArguments<S>, optional: boolean): Demand<S>
  /** @throws {TypeError} when a scope was not declared, or there is none */
  demandAnyOf(args: AlternativeArguments<S>): Demand<S>
  /**
   * Decides about a request. In this order: is there a credential, is it well-formed, is the token
   * verified, not revoked and young enough, does it have the scopes, is there a user. Never throws
   * for what a sender controls.
   */
  check(request: HttpRequest, demand: Demand<S>): Promise<Decision<S, U, undefined>>
  /**
   * Checks a request, and keeps the admitted caller with the framework's own request object. Where
   * another guard has admitted this request before, both demands are checked together, and the user
   * of the first is kept.
   */
  enter(
    carrier: object,
    request: HttpRequest,
    demand: Demand<S>,
  ): Promise<Decision<S, U, undefined>>
  /**
   * Admits a request without waiting, where its token was verified before and is still valid, there
   * is no user to load and no other guard ran. Returns `undefined` in any other case: `enter` then
   * decides, and it alone refuses.
   */
  enterAtOnce(carrier: object, request: HttpRequest, demand: Demand<S>): Caller<S, U> | undefined
  /** @throws {TypeError} if no guard has admitted the request */
  callerOf(carrier: object): Caller<S, U> | undefined
}

/** @throws {TypeError} when `verifier` is not a verifier */
export function createGuardCore<S extends string, U>(options: GuardOptions<S, U>): GuardCore<S, U> {
  const { verifier, declared, findUser } = readOptions(options)
  const authenticate = createAuthentication<S, U>(verifier, findUser)
  // A member of the request object itself: a WeakMap takes longer than all else that a known token
  // needs.
  const entered = Symbol('entered')
  interface Entry {
    readonly caller: Caller<S, U> | undefined
    readonly demand: Demand<S>
  }
  type Carrier = { [entered]?: Entry }

  async function decide(
    request: HttpRequest,
    demand: Demand<S>,
    before?: Caller<S, U>,
  ): Promise<Decision<S, U, undefined>> {
    try {
      return { allowed: true, caller: await authenticate(request, demand, before) }
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      return { allowed: false, error, answer: tokenRefusalAnswer(error, verifier.issuer) }
    }
  }

  return {
    issuer: verifier.issuer,
    scopes: declared,
    demand: (args, optional) => readDemand(args, { optional, declared }),
    demandAnyOf: (args) => readAlternatives(args, declared),
    check: (request, demand) => decide(request, demand),
    async enter(carrier: Carrier, request, demand) {
      const before = carrier[entered]
      const joined = before ? joinDemands(before.demand, demand) : demand
      const decision = await decide(request, joined, before?.caller)
      if (decision.allowed) carrier[entered] = { caller: decision.caller, demand: joined }
      return decision
    },
    // decisions/0011-synchronous-fast-path.md
    enterAtOnce(carrier: Carrier, request, demand) {
      if (findUser || demand.maxAgeSeconds !== undefined || carrier[entered]) return undefined
      const identity = recall(request, verifier)
      if (!identity || !isMetBy(demand, identity.scopes)) return undefined
      const caller = { identity: identity as Identity<S>, user: undefined as U }
      carrier[entered] = { caller, demand }
      return caller
    },
    callerOf(carrier: Carrier) {
      const entry = carrier[entered]
      if (!entry)
        throw new TypeError(
          'no guard ran for this request: put guard(…) before the handler that asks for its caller',
        )
      return entry.caller
    },
  }
}

/**
 * Checks the options of a guard, and keeps what is in them now: an app may change the object for
 * its next guard.
 */
function readOptions<S extends string, U>(
  options: GuardOptions<S, U>,
): {
  readonly verifier: Verifier
  readonly declared: GuardOptions<S, U>['scopes']
  readonly findUser: GuardOptions<S, U>['user']
} {
  requireKnownOptions('createGuard', options, [...guardOptions, ...otherMembers])
  const { verifier, scopes: declared } = options
  if (options.user !== undefined && typeof options.user !== 'function') {
    throw new TypeError('the option `user` of createGuard must be a function')
  }
  if (typeof verifier?.verify !== 'function')
    throw new TypeError('a guard needs a verifier: pass createVerifier(…) or createKeystile(…)')
  return { verifier, declared, findUser: options.user?.bind(options) }
}

/**
 * Makes the function that finds the caller of a request, by the checks of `GuardCore.check` in
 * their order.
 */
function createAuthentication<S extends string, U>(
  verifier: Verifier,
  findUser: GuardOptions<S, U>['user'],
) {
  return async function authenticate(
    request: HttpRequest,
    demand: Demand<S>,
    before?: Caller<S, U>,
  ): Promise<Caller<S, U> | undefined> {
    const proving = proveIdentity(request, verifier, demand)
    if (proving === 'no_credential') {
      if (demand.optional) return undefined
      throw tokenError('no_credential')
    }

    const identity = (await proving) as Identity<S>
    if (!isMetBy(demand, identity.scopes)) {
      throw tokenError('missing_scope', { scopes: demand.alternatives[0] })
    }

    // The same token has the same identity, as long as it is remembered.
    if (before?.identity === identity) return before
    if (!findUser) return { identity, user: undefined as U }
    const user = await findUser(identity)
    if (user === undefined || user === null) throw tokenError('unknown_user')
    // `user?.active && user` is `false` for a blocked user: it must not let the request in.
    if (!isUserObject(user)) {
      throw new TypeError(
        "a guard's `user` must return an object, or undefined or null for no user",
      )
    }
    return { identity, user }
  }
}

/**
 * `recallIdentity`, which never throws: in some frameworks, what an app's own revocations throw
 * here would end the process. `check` passes it on.
 */
function recall(request: HttpRequest, verifier: Verifier): Identity | undefined {
  try {
    return recallIdentity(request, verifier)
  } catch {
    // `check` meets it again.
  }
  return undefined
}

/** `callerOf` where the route is not optional. */
export function requireCaller<S extends string, U>(
  core: GuardCore<S, U>,
  carrier: object,
): Caller<S, U> {
  const caller = core.callerOf(carrier)
  if (!caller)
    throw new TypeError(
      'this route is optional and the caller is nobody: ask guard.optional.caller(…)',
    )
  return caller
}
