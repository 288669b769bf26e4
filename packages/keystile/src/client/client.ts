import type { Fetch } from './ask-issuer.ts'
import { createBearerFetch } from './bearer-fetch.ts'
import { cookieEndpoints, tokenEndpoints, type Credentials } from './endpoints.ts'
import { requireSafeUrl, resourcesOf } from './resources.ts'
import { browserClock, unknownSession, type ClientClock } from './session.ts'
import { createSessions } from './sessions.ts'
import { createTabMemory } from './tab-memory.ts'
import { memoryStorage, type TokenStorage } from './token-storage.ts'

export interface ClientOptions {
  /** The URL of Keystile: `http://localhost:3000/auth`. Its endpoints are below it. */
  readonly issuer: string
  /**
   * Where the tokens are kept. `'cookie'`, for browsers alone: the issuer keeps the refresh token in a cookie that no
   * script can read, and the access token is in the memory of the tabs. Default: `memoryStorage()`.
   */
  readonly storage?: TokenStorage | 'cookie'
  /**
   * The APIs that are sent the access token: origins, or URLs of which all below gets it. Default: the origin of the
   * issuer.
   */
  readonly resources?: readonly string[]
  /** Sends requests, those to the issuer as well. Default: `globalThis.fetch`. */
  readonly fetch?: Fetch
  readonly clock?: ClientClock
  /** Allows http URLs that are not this machine: passwords and tokens then cross the network unprotected. */
  readonly dangerouslyAllowHttpIssuer?: boolean
}

const optionNames: readonly (keyof ClientOptions)[] = [
  'issuer',
  'storage',
  'resources',
  'fetch',
  'clock',
  'dangerouslyAllowHttpIssuer',
]

/** Signs a person in, and makes requests in their name. Its methods need no `this`. */
export interface Client {
  /**
   * Signs in; whoever was signed in before is so no longer, though their session is not ended: `logout` does that.
   *
   * @throws {ClientError} `invalid_grant` for a wrong user name or password; `temporarily_unavailable`
   */
  login(credentials: Credentials): Promise<void>
  /**
   * As `globalThis.fetch`, with `Authorization: Bearer …` for requests to the `resources`, unless they have the header
   * already. Refreshes first where the token would soon expire. Where the API refuses the token all the same, with 401, it
   * refreshes and sends the request again, once, unless its body is a stream; and what is answered then is returned. While
   * nobody is signed in, requests go out as they are; so does one whose session turns out to be over, or to have been
   * replaced by another login: it is never sent with the token of a login that came after it.
   *
   * @throws {ClientError} `temporarily_unavailable` while a refresh gets no answer; whoever was signed in still is
   */
  readonly fetch: Fetch
  /**
   * Forgets the session, in all tabs that share the storage, and ends it at the issuer; with `storage: 'cookie'` also where
   * the cookie is by now that of another login, which stays.
   *
   * @throws {ClientError} the issuer could not be told, and the session was forgotten nevertheless; with
   *   `storage: 'cookie'` the cookie is still there, and the next page is signed in by it: call it again
   */
  logout(): Promise<void>
  /**
   * An access token that lives, for what is no `fetch`: a WebSocket, say. `undefined` while nobody is signed in, and where
   * the session turns out to be over, though another login may have replaced it: ask again for that one's.
   *
   * @throws {ClientError} `temporarily_unavailable` while a refresh gets no answer
   */
  accessToken(): Promise<string | undefined>
  /**
   * Whether somebody is signed in, as far as is known here: their session may have been ended elsewhere. With
   * `storage: 'cookie'` a page asks the issuer once, for a script sees no cookie.
   *
   * @throws {ClientError} `temporarily_unavailable` while that gets no answer
   */
  isSignedIn(): Promise<boolean>
  /**
   * Calls the listener once when somebody who was signed in no longer is: after `logout` here or in another tab, when the
   * issuer says that the session is over, and when another login has replaced it that was not made here. After that one
   * `isSignedIn()` is true. @returns what ends it
   */
  onSignOut(listener: () => void): () => void
  /** Stops listening to other tabs. The session stays as it is. */
  close(): void
}

/** @throws {TypeError} for an option that is missing or wrong */
export function createClient(options: ClientOptions): Client {
  if (typeof options !== 'object' || options === null) throw new TypeError('createClient takes an object with issuer')
  const unknown = Object.keys(options).find((name) => !(optionNames as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new TypeError(`createClient has no option \`${unknown}\`; its options are ${optionNames.join(', ')}`)
  const { storage = memoryStorage(), clock = browserClock } = options
  if (storage !== 'cookie' && typeof storage !== 'object') {
    throw new TypeError("`storage` must be 'cookie', or a storage such as memoryStorage() or browserStorage()")
  }
  const allowsHttp = options.dangerouslyAllowHttpIssuer === true
  const url = requireSafeUrl('issuer', options.issuer, allowsHttp)
  const issuer = url.href.replace(/\/$/, '')
  const isResource = resourcesOf(options.resources ?? [url.origin], allowsHttp)
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const listeners = new Set<() => void>()
  const sessions = createSessions({
    storage: storage === 'cookie' ? createTabMemory(JSON.stringify(unknownSession)) : storage,
    key: `keystile:${issuer}`,
    endpoints: storage === 'cookie' ? cookieEndpoints({ issuer, fetch }) : tokenEndpoints({ issuer, fetch }),
    clock,
    onSignOut() {
      // What a listener throws is its own matter, and no failure of a login or a request.
      for (const listener of listeners) queueMicrotask(() => listener())
    },
  })
  return {
    login: sessions.login,
    fetch: createBearerFetch({ fetch, isResource, sessions }),
    logout: sessions.logout,
    accessToken: async () => (await sessions.current())?.accessToken,
    async isSignedIn() {
      const session = await sessions.read()
      return Boolean(session?.accessToken === '' ? await sessions.current() : session)
    },
    onSignOut(listener) {
      // A function of its own, so that one listener may be added twice and removed once.
      const own = (): void => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    close: sessions.close,
  }
}
