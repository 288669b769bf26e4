// The options of `createGuard`, which may be the whole object of `createKeystile`.
import { notAwaited, requireKnownOptions } from '../base/options.ts'
import type { Identity, TokenType } from './identity.ts'
import type { RefusalOptions } from './refusal-report.ts'
import { findRecall, type RecallUser } from './user-recall.ts'
import type { Verifier } from './verifier.ts'

/** The options of a guard. An app can also pass the whole object of `createKeystile`. */
export interface GuardOptions<
  S extends string,
  U,
  T extends TokenType = 'at+jwt',
> extends RefusalOptions {
  readonly verifier: Verifier<T>
  /**
   * Maps all scopes of the API to their descriptions. If set, guards can demand only these scopes.
   */
  readonly scopes?: Readonly<Record<S, string>>
  /**
   * Returns the app's user for an identity. The user must be an object. If the function returns
   * `undefined` or `null`, the user does not exist or is blocked, and the guard answers 401. Any
   * other value is a bug of the app: the guard throws a `TypeError`, and the framework answers 500.
   */
  user?(
    identity: Identity<NoInfer<S>, NoInfer<T>>,
  ): U | undefined | null | Promise<U | undefined | null>
}

const optionNames = ['verifier', 'scopes', 'user', 'onRefused', 'logger']

/**
 * Members of the objects of `createKeystile` and `createTestIssuer` that are not options of a
 * guard. The guard ignores these members.
 */
const otherMembers = [
  'issuer',
  'sessions',
  'hashPassword',
  'verifyPassword',
  'checkPassword',
  'userChanged',
  'resetFactors',
  'forgetUser',
  'answer',
  'fetch',
  'close',
  'audience',
  'token',
  'headers',
  'revoke',
  'advance',
]

/**
 * Checks the options of a guard and copies their members. An app may later change the same object
 * and use it for another guard.
 *
 * @throws {TypeError} for an option that is unknown or wrong
 */
export function readOptions<S extends string, U, T extends TokenType>(
  options: GuardOptions<S, U, T>,
): {
  readonly verifier: Verifier<T>
  readonly declared: GuardOptions<S, U, T>['scopes']
  readonly findUser: GuardOptions<S, U, T>['user']
  readonly recallUser: RecallUser<U> | undefined
} {
  // An object of `createKeystile` has `sessions` and may have `users`. If an object has `users` but
  // no `sessions`, the app has misspelt `user`. The guard would ignore `users` and admit blocked
  // users.
  const accounts = Object.hasOwn(Object(options), 'sessions') ? ['users'] : []
  requireKnownOptions('createGuard', options, [...optionNames, ...otherMembers, ...accounts])

  const { verifier, scopes: declared } = options
  if (options.user !== undefined && typeof options.user !== 'function') {
    throw new TypeError('the option `user` of createGuard must be a function')
  }
  if (typeof verifier?.verify !== 'function') {
    throw new TypeError(
      options instanceof Promise
        ? notAwaited('createGuard')
        : 'a guard must have a verifier. Fix: pass { verifier: createVerifier(…) }, or the ' +
            'object from createKeystile()',
    )
  }
  const { user } = options
  return {
    verifier,
    declared,
    findUser: user?.bind(options),
    recallUser: user && (findRecall(user) as RecallUser<U> | undefined),
  }
}
