import { TokenError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { HttpAnswer, HttpRequest } from '../http/message.ts'
import { tokenRefusalAnswer } from '../http/problem.ts'
import { readBearerToken } from './credential.ts'
import type { Identity, Verifier } from './verifier.ts'

/** What a guard is made from. The object of `createKeystile` is one. */
export interface GuardOptions<S extends string, U> {
  readonly verifier: Verifier
  /** The declared scopes, each with its description. When given, a guard cannot demand another. */
  readonly scopes?: Readonly<Record<S, string>>
  /** The app's user behind an identity; `undefined` or `null` when there is none, or none who may come in: the answer is 401. */
  user?(identity: Identity<NoInfer<S>>): U | undefined | null | Promise<U | undefined | null>
}

/** Who a guarded route was called by. */
export interface Caller<S extends string, U> {
  readonly identity: Identity<S>
  readonly user: U
}

export interface Demand<S extends string> {
  /** All of these. */
  readonly scopes: readonly S[]
  /** Seconds since the person proved who they are, at most (RFC 9470). */
  readonly maxAgeSeconds: number | undefined
  /** Lets a request without a credential pass, and no other that would be refused. */
  readonly optional: boolean
}

/** What a guard is called with: scopes, or an object where there is more to demand. */
export type DemandArguments<S extends string> =
  | readonly S[]
  | readonly [
      {
        /** All of these. */
        readonly scopes?: readonly S[]
        /** The person has proved who they are at most so many seconds ago; older tokens get 401 (RFC 9470). */
        readonly maxAgeSeconds?: number
      },
    ]

export type Decision<S extends string, U> =
  | { readonly allowed: true; readonly caller: Caller<S, U> | undefined }
  | { readonly allowed: false; readonly error: TokenError; readonly answer: HttpAnswer }

/** A guard without a framework: what every adapter asks. */
export interface GuardCore<S extends string, U> {
  /** @throws {TypeError} when a scope was not declared, or an age is no number above 0 */
  demand(args: DemandArguments<S>, optional: boolean): Demand<S>
  /**
   * Decides about a request. In this order: is there a credential, is it well-formed, is the token proved, not taken
   * back and young enough, has it the scopes, is there a user. Never throws for what a sender controls.
   */
  check(request: HttpRequest, demand: Demand<S>): Promise<Decision<S, U>>
  /**
   * The caller of a request that `check` would let in, where that is known without waiting: a token that was proved
   * before, and no user to ask for. `undefined` says nothing.
   */
  admitAtOnce(request: HttpRequest, demand: Demand<S>): Caller<S, U> | undefined
  /** Keeps the caller with the framework's request object, for `callerOf`. */
  admit(request: object, caller: Caller<S, U> | undefined): void
  /** @throws {TypeError} where no guard of ours let the request in */
  callerOf(request: object): Caller<S, U> | undefined
}

/** @throws {TypeError} for a verifier that is none */
export function createGuardCore<S extends string, U>(options: GuardOptions<S, U>): GuardCore<S, U> {
  const { verifier, scopes: declared } = options ?? {}
  if (typeof verifier?.verify !== 'function')
    throw new TypeError('a guard needs a verifier: pass createVerifier(…) or createKeystile(…)')
  // A member of the request object itself: a WeakMap takes longer than all else that a known token needs.
  const admitted = Symbol('admitted')
  type Admitted = { [admitted]?: { readonly caller: Caller<S, U> | undefined } }

  async function authenticate(request: HttpRequest, demand: Demand<S>): Promise<Caller<S, U> | undefined> {
    const token = readBearerToken(request)
    if (token === undefined) {
      if (demand.optional) return undefined
      throw new TokenError('not_authenticated', 'Not authenticated')
    }
    const identity = (await verifier.verify(token, demand)) as Identity<S>
    if (!demand.scopes.every((scope) => identity.scopes.includes(scope))) {
      throw new TokenError('insufficient_scope', 'The token lacks a scope that this needs', { scopes: demand.scopes })
    }
    if (!options.user) return { identity, user: undefined as U }
    const user = await options.user(identity)
    if (user === undefined || user === null)
      throw new TokenError('invalid_token', 'Invalid token', { reason: 'no such user, or one who may not come in' })
    return { identity, user }
  }

  return {
    demand(args, optional) {
      const [first] = args
      const {
        scopes = [],
        maxAgeSeconds,
        ...others
      } = isJsonObject(first) && args.length === 1 ? first : { scopes: args as readonly S[] }
      // A demand that is misspelt would otherwise be no demand.
      if (!Array.isArray(scopes) || Object.keys(others).length > 0) {
        throw new TypeError('a guard takes scopes, or { scopes, maxAgeSeconds }')
      }
      if (maxAgeSeconds !== undefined && !(Number.isFinite(maxAgeSeconds) && maxAgeSeconds > 0)) {
        throw new TypeError('maxAgeSeconds is a number above 0')
      }
      for (const scope of scopes) {
        if (typeof scope !== 'string') throw new TypeError('a guard takes scopes, as strings')
        if (declared && !Object.hasOwn(declared, scope)) {
          throw new TypeError(`the scope "${scope}" is not declared; declared are: ${Object.keys(declared).join(', ')}`)
        }
      }
      return { scopes, maxAgeSeconds, optional }
    },
    async check(request, demand) {
      try {
        return { allowed: true, caller: await authenticate(request, demand) }
      } catch (error) {
        if (!(error instanceof TokenError)) throw error
        return { allowed: false, error, answer: tokenRefusalAnswer(error, verifier.issuer) }
      }
    },
    admitAtOnce(request, { scopes, maxAgeSeconds }) {
      if (options.user || maxAgeSeconds !== undefined) return undefined
      const field = request.headers.get('authorization')
      // Only what is well-formed was ever proved, so a malformed token is not found.
      const identity = field?.startsWith('Bearer ') ? verifier.recall?.(field.slice(7)) : undefined
      if (!identity || !scopes.every((scope) => identity.scopes.includes(scope))) return undefined
      return { identity: identity as Identity<S>, user: undefined as U }
    },
    admit(request, caller) {
      ;(request as Admitted)[admitted] = { caller }
    },
    callerOf(request) {
      const found = (request as Admitted)[admitted]
      if (!found)
        throw new TypeError('no guard ran for this request: put guard(…) before the handler that asks for its caller')
      return found.caller
    },
  }
}

/** `callerOf` where the route is not optional. */
export function requireCaller<S extends string, U>(core: GuardCore<S, U>, request: object): Caller<S, U> {
  const caller = core.callerOf(request)
  if (!caller) throw new TypeError('this route is optional and the caller is nobody: ask guard.optional.caller(…)')
  return caller
}

/**
 * A function with members. They are defined, not assigned: every function inherits a `caller` whose setter throws.
 */
export function withMembers<F extends object, M extends object>(target: F, members: M): F & M {
  return Object.defineProperties(target, Object.getOwnPropertyDescriptors(members)) as F & M
}
