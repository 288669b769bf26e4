import type { Fetch } from './ask-issuer.ts'
import { createBearerFetch } from './bearer-fetch.ts'
import { cookieEndpoints, tokenEndpoints, type Credentials } from './endpoints.ts'
import { requireSafeUrl, resourcesOf } from './resources.ts'
import { openSessionKeeper } from './session-keeper.ts'
import { stringifySession, unknownSession } from './stored-session.ts'
import { createTabMemory } from './tab-memory.ts'
import { browserClock, type ClientClock } from './token-age.ts'
import { memoryStorage, type TokenStorage } from './token-storage.ts'

export interface ClientOptions {
  /** The URL of Keystile: `http://localhost:3000/auth`. Its endpoints are below it. */
  readonly issuer: string
  /**
   * Where the client keeps the tokens. `'cookie'`, for browsers only: the issuer keeps the refresh
   * token in a cookie that no script can read, and the tabs keep the access token in memory.
   * Default: `memoryStorage()`.
   */
  readonly storage?: TokenStorage | 'cookie'
  /**
   * The APIs that get the access token: origins, or URLs that stand for everything below them.
   * Default: the origin of the issuer.
   */
  readonly resources?: readonly string[]
  /** Sends all requests, those to the issuer too. Default: `globalThis.fetch`. */
  readonly fetch?: Fetch
  readonly clock?: ClientClock
  /**
   * Allows http URLs of other machines. Passwords and tokens then cross the network unprotected.
   */
  readonly dangerouslyAllowHttpIssuer?: boolean
}

const optionNames: readonly string[] = [
  'issuer',
  'storage',
  'resources',
  'fetch',
  'clock',
  'dangerouslyAllowHttpIssuer',
] satisfies readonly (keyof ClientOptions)[]

/** Signs a person in, and makes requests in their name. Its methods need no `this`. */
export interface ApiClient {
  /**
   * Signs in, and replaces the person who was signed in before. Does NOT end their session at the
   * issuer: `logout` does.
   *
   * @throws {ClientError} `invalid_grant` for a wrong user name or password;
   *   `temporarily_unavailable`
   */
  login(credentials: Credentials): Promise<void>
  /**
   * As `globalThis.fetch`, but adds `Authorization: Bearer …` to requests for the `resources` that
   * have no such header. Refreshes first if the token would soon expire. If the API refuses the
   * token with 401, refreshes, sends the request once more unless its body is a stream, and returns
   * the second answer.
   *
   * While nobody is signed in, sends requests as they are. Does the same if the session turns out
   * to be over or replaced: a request never goes out with the token of a later login.
   *
   * @throws {ClientError} `temporarily_unavailable` while a refresh gets no answer; the person
   *   stays signed in
   */
  readonly fetch: Fetch
  /**
   * Forgets the session in all tabs that share the storage, and ends it at the issuer. With
   * `storage: 'cookie'` it leaves a cookie that by now belongs to another login.
   *
   * @throws {ClientError} if the issuer could not be told. The session is forgotten all the same.
   *   With `storage: 'cookie'` the cookie is still there and signs the next page in: call it again
   */
  logout(): Promise<void>
  /**
   * Returns a valid access token, for a WebSocket and other uses without `fetch`. Returns
   * `undefined` while nobody is signed in, and if the session turns out to be over. If another
   * login has replaced it, the next call returns the token of that login.
   *
   * @throws {ClientError} `temporarily_unavailable` while a refresh gets no answer
   */
  accessToken(): Promise<string | undefined>
  /**
   * Whether somebody is signed in, as far as the client knows: the session may have been ended
   * elsewhere. With `storage: 'cookie'` a page asks the issuer once, because scripts see no cookie.
   *
   * @throws {ClientError} `temporarily_unavailable` while that gets no answer
   */
  isSignedIn(): Promise<boolean>
  /**
   * Calls the listener once when a person who was signed in no longer is: after `logout` here or in
   * another tab, when the issuer says that the session is over, and when a login elsewhere replaces
   * it. In the last case `isSignedIn()` stays true. Returns a function that removes the listener.
   */
  onSignOut(listener: () => void): () => void
  /** Stops listening to other tabs. The session stays as it is. */
  close(): void
}

/** @throws {TypeError} for an option that is missing or wrong */
export function createClient(options: ClientOptions): ApiClient {
  requireOptions(options)
  const { storage = memoryStorage(), clock = browserClock } = options
  const allowsHttp = options.dangerouslyAllowHttpIssuer === true
  const url = requireSafeUrl('issuer', options.issuer, allowsHttp)
  const issuer = url.href.replace(/\/$/, '')
  const isResource = resourcesOf(options.resources ?? [url.origin], allowsHttp)
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))

  const listeners = new Set<() => void>()
  const keeper = openSessionKeeper({
    ...(storage === 'cookie'
      ? {
          storage: createTabMemory(stringifySession(unknownSession)),
          endpoints: cookieEndpoints({ issuer, fetch }),
        }
      : { storage, endpoints: tokenEndpoints({ issuer, fetch }) }),
    key: `keystile:${issuer}`,
    clock,
    onSignOut() {
      // An error of a listener must not fail a login or a request.
      for (const listener of listeners) queueMicrotask(() => listener())
    },
  })

  return {
    login: keeper.login,
    fetch: createBearerFetch({ fetch, isResource, keeper }),
    logout: keeper.logout,
    accessToken: async () => (await keeper.current())?.accessToken,
    async isSignedIn() {
      const session = await keeper.read()
      return Boolean(session === unknownSession ? await keeper.current() : session)
    },
    onSignOut(listener) {
      // One function per call, so that a listener may be added twice and removed once.
      const own = (): void => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    close: keeper.close,
  }
}

/** @throws {TypeError} */
function requireOptions(options: ClientOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('createClient takes an object with issuer')
  }
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name))
  if (unknown !== undefined) {
    throw new TypeError(
      `createClient has no option \`${unknown}\`; its options are ${optionNames.join(', ')}`,
    )
  }
  const { storage } = options
  if (storage !== undefined && storage !== 'cookie' && typeof storage !== 'object') {
    throw new TypeError(
      "`storage` must be 'cookie', or a storage such as memoryStorage() or browserStorage()",
    )
  }
}
