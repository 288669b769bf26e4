import type { UserObject } from 'keystile'
import type { Clock, Logger } from 'keystile/internal'
import type { Jwk } from 'keystile/jwt'
import type { HashingCost } from '../features/password/hashing-cost.ts'
import type { BuiltInScope } from '../features/scopes/scopes.ts'
import type { IssuingAlgorithm } from '../features/signing-keys/signing-keys.ts'
import type { UserDirectory } from '../features/directory/directory.ts'
import type { ProfileSchema } from '../features/accounts/profile.ts'
import type { PublicUser } from '../features/accounts/users.ts'
import type { Pool } from '../storage/postgres.ts'

/** What `createKeystile` is told. `S`: the declared scopes, `P`: the profile's fields, `U`: the user of the app's own directory. */
export type KeystileOptions<S extends string, P extends object, U = PublicUser & P> = CommonOptions<S> &
  (AccountOptions<S, P> | DirectoryOptions<S, U>)

interface CommonOptions<S extends string> {
  /** `iss` of all tokens, and where the endpoints are: an https URL without query, or http on this machine alone. */
  readonly issuer: string
  /** Who the tokens are for: their `aud`. Default: the issuer. */
  readonly audience?: string
  /**
   * A file, a `postgres:` URL, or a pool of pg that stays yours. `:memory:` is for tests: a file in a temporary
   * folder that `close` deletes. A process that is killed leaves it behind, password hashes included.
   */
  readonly database: string | Pool
  /** The scopes there are, each with its description. `users:read` and `users:write` are always declared. */
  readonly scopes?: Readonly<Record<S, string>>
  /** Scopes that every user holds. Default: none. */
  readonly defaultScopes?: readonly NoInfer<S | BuiltInScope>[]
  /** Life of an access token in seconds, 10 to 86,400. Default: 600. */
  readonly accessTokenSeconds?: number
  /**
   * How long a login lasts, however often it is refreshed: seconds, 60 to 34,560,000 (400 days). Default: 30 days. Holds for
   * logins from now on.
   */
  readonly sessionSeconds?: number
  /** How long a login lasts that is not refreshed: seconds, 60 to 34,560,000. Default: 14 days. */
  readonly idleSeconds?: number
  /**
   * How long a used refresh token is answered with its successor again, for clients that send twice or lose an answer: seconds, 0 to
   * 60. Default: 10. With 0 a token is used strictly once, and whoever sends twice is logged out.
   */
  readonly graceSeconds?: number
  /** How long the audit record keeps a line: seconds, 86,400 (a day) to 315,360,000 (10 years). Default: 90 days. */
  readonly auditSeconds?: number
  /**
   * What the hash of a password costs: argon2id with one lane, at least as strong as OWASP recommends. Default: 19,456 KiB and 2 passes.
   * `keystile tune` measures what a machine can bear. A hash of less is made anew at the next login.
   */
  readonly passwordHashing?: HashingCost
  /**
   * The secret under which private signing keys are sealed: 32 random characters or more. Default: the file
   * `keystile.key` beside a SQLite file, made at the first start; PostgreSQL has no default.
   */
  readonly key?: string
  /** The algorithm that tokens are signed with. Default: ES256. */
  readonly signingAlgorithm?: IssuingAlgorithm
  /** A private JWK that signs instead of keys that Keystile makes itself. */
  readonly signingKey?: Jwk
  /**
   * Whether browsers may keep the refresh token in a cookie that no script can read: adds `POST /session`, `POST
   * /session/refresh` and `DELETE /session`. Default: false.
   */
  readonly cookieSession?: boolean
  /**
   * Origins, such as `https://app.example`, whose pages may ask our endpoints although they come from elsewhere. Default: none
   * but the issuer's own.
   */
  readonly corsOrigins?: readonly string[]
  /**
   * Whether guesses are limited: logins by account and by address, and what else can be guessed or filled up. `off` is for those
   * who do it in front of Keystile. Default: on.
   */
  readonly rateLimits?: 'on' | 'off'
  /**
   * Addresses, or ranges such as `10.0.0.0/8`, of the proxies whose `X-Forwarded-For` is believed. An empty list says that no
   * proxy stands before Keystile. Default: nobody is believed, and nothing is limited by address.
   */
  readonly trustedProxies?: readonly string[]
  /** Allows an http issuer, and http in `corsOrigins`, that is not this machine: tokens and passwords then cross the network unprotected. */
  readonly dangerouslyAllowHttpIssuer?: boolean
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Where Keystile keeps the users. */
interface AccountOptions<S extends string, P extends object> {
  /** Named lists of scopes. `admin` is built in and holds all. */
  readonly roles?: Readonly<Record<string, readonly NoInfer<S | BuiltInScope>[]>>
  /** Whether strangers may register at `POST /users`. Default: open where the issuer is on this machine; else it must be said. */
  readonly registration?: 'open' | 'closed'
  /**
   * Characters that a new password has at least, 8 to 64. Default: 15. Fewer only where a second factor is asked for as well
   * (NIST SP 800-63B-4 §3.1.1.2).
   */
  readonly passwordMinLength?: number
  /**
   * A schema for fields of a user beside ours, by the Standard Schema specification. A profile is at most 64 KiB of
   * JSON. It has no field of a name that is Keystile's own (`id`, `username`, `email`, `email_verified`,
   * `created_at`, `password`, `scopes`, `roles`, `disabled`) or every object's (`constructor`, `toJSON`).
   */
  readonly profile?: ProfileSchema<P>
  readonly users?: undefined
}

/** Where the application keeps them: there are no roles, no profile, and none of the endpoints below `/users`. */
interface DirectoryOptions<S extends string, U> {
  /** The application's own users. */
  readonly users: UserDirectory<U, NoInfer<S | BuiltInScope>>
  readonly roles?: undefined
  readonly registration?: undefined
  readonly passwordMinLength?: undefined
  readonly profile?: undefined
}

type AnyOptions = KeystileOptions<string, object, UserObject>

/** The value of each option, once it is given. */
export type OptionValues = { readonly [N in keyof AnyOptions]-?: Exclude<AnyOptions[N], undefined> }
