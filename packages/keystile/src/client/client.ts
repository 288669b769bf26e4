// The client of an API: signs a user in at the issuer, and adds the access token to requests. This
// room imports no other room and nothing of Node. What happens in `client.fetch('/items')`:
//
// 1. `bearer-fetch.ts` checks the URL (`resources.ts`), asks for the session, and sends the
//    request. After a 401 it asks for a new token and sends the request once more.
// 2. `session-keeper.ts` reads the session (`session-store.ts`) from the storage each time, because
//    other tabs may write it. If the token expires soon (`token-age.ts`), it refreshes the session.
// 3. `session-renewal.ts` prevents concurrent refreshes, in one client and between tabs. A refresh
//    never overwrites a login, a logout or a refresh that happened meanwhile.
// 4. `endpoints.ts` sends the refresh token in the body or leaves it in the cookie. `ask-issuer.ts`
//    distinguishes a refusal from an outage: a refusal may sign the user out, an outage never does.
// 5. `token-storage.ts` says what a storage is. `browser-storage.ts` uses localStorage.
//    `tab-memory.ts` is the memory that tabs share in cookie mode. Both use `tab-lock.ts`: a Web
//    Lock or, in browsers without them, a lease in IndexedDB (`lease.ts`, `indexed-db-leases.ts`).
//
// In cookie mode, pages of the same site share the cookie, even if they do not share the storage.
// If a person logs in on another page, the login replaces the cookie, and the next refresh returns
// a token of another session. So the client compares the `sid` of the tokens (`token-claims.ts`): a
// call that began in one session never continues in another.
//
// A login has one step or several. `logins.ts` sends the steps, and returns what the person must do
// next (`next-step.ts`). If an API demands a stronger login, `step-ups.ts` asks the app. A step-up
// starts another session of the same user, which `continues` the old one (`stored-session.ts`).
//
// `accounts.ts` has the methods for accounts, such as `client.register`.
import { createAccountMethods, type AccountMethods } from './accounts.ts'
import type { Fetch } from './ask-issuer.ts'
import { createBearerFetch } from './bearer-fetch.ts'
import { ClientError } from './client-error.ts'
import { cookieEndpoints, tokenEndpoints } from './endpoints.ts'
import type { Credentials, LoginDemand, LoginResult } from './next-step.ts'
import { requireSafeUrl, resourcesOf } from './resources.ts'
import { openSessionKeeper } from './session-keeper.ts'
import { createStepUps, type StepUpHandler } from './step-ups.ts'
import { stringifySession, unknownSession } from './stored-session.ts'
import { createTabMemory } from './tab-memory.ts'
import { browserClock, type ClientClock } from './token-age.ts'
import { memoryStorage, type TokenStorage } from './token-storage.ts'

export interface ClientOptions {
  /**
   * The URL of Keystile, such as `http://localhost:3000/auth`. Its endpoints are below this URL.
   */
  readonly issuer: string
  /**
   * Where the client keeps the tokens. With `'cookie'`, which works only in browsers, the issuer
   * sets the refresh token as a cookie. No script can read this cookie, so an injected script
   * cannot steal the refresh token. The tabs keep only the access token, in memory. Default:
   * `memoryStorage()`.
   */
  readonly storage?: TokenStorage | 'cookie'
  /**
   * The APIs that receive the access token, each given as an origin or a URL. The client sends the
   * token only to these URLs and to the URLs below them. Default: the origin of the issuer.
   */
  readonly resources?: readonly string[]
  /** Sends all requests, including those to the issuer. Default: `globalThis.fetch`. */
  readonly fetch?: Fetch
  readonly clock?: ClientClock
  /**
   * Allows http URLs of other machines. Passwords and tokens then cross the network unencrypted.
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

/** Signs a user in, and sends requests in the user's name. The methods do not use `this`. */
export interface ApiClient extends AccountMethods {
  /**
   * Signs a user in, and replaces the user who was signed in before. If the password is right and
   * the login needs more, `signedIn` of the result is false, and `next` says what the person must
   * do. The method of `next` goes on with the login, and returns such a result too.
   *
   * Does NOT end the previous user's session at the issuer: call `logout` first.
   *
   * @throws {ClientError} `invalid_grant` for a wrong user name, password or code;
   *   `invalid_session` if the login began too long ago or had too many wrong codes;
   *   `temporarily_unavailable` if the issuer cannot answer now. If the person can go on, `next` of
   *   the error says how
   */
  login(credentials: Credentials): Promise<LoginResult>
  /**
   * Begins a step-up: a login in which the user who is signed in proves what the demand needs. Its
   * session replaces the one before, in all tabs, without a sign-out.
   *
   * @throws {ClientError} as `login`; also `not_signed_in`, `invalid_session` if the session has
   *   ended, and `unmet_authentication_requirements` if the demand needs a second factor and the
   *   user has none
   */
  stepUp(demand: LoginDemand): Promise<LoginResult>
  /**
   * Lets `fetch` do a step-up if an API answers 401 `insufficient_user_authentication`, and returns
   * a function that removes the handler. `fetch` calls the handler, waits for its promise, and
   * sends the request once more if the step-up has succeeded. Otherwise, for example if the person
   * has closed the dialog, `fetch` returns the 401. If the handler rejects, `fetch` rejects too.
   *
   * Requests at the same time share one step-up. Of several handlers, only the newest is called.
   */
  onStepUp(handler: StepUpHandler): () => void
  /**
   * Works like `globalThis.fetch`, but adds `Authorization: Bearer …` to a request to one of the
   * `resources`, unless the request already has an `Authorization` header. Refreshes the token
   * first if it expires soon. If the API refuses the token with 401, refreshes the token, sends the
   * request once more, and returns the second answer. If the API demands a stronger or a more
   * recent login, calls the handler of `onStepUp`. A request whose body is a stream cannot be sent
   * again.
   *
   * Adds no token if no user is signed in, if the session has expired, or if another login replaces
   * the session during the refresh. So `fetch` never sends a request with the token of a login that
   * happens after the call.
   *
   * @throws {ClientError} `temporarily_unavailable` if a refresh gets no answer; the user stays
   *   signed in. With a handler of `onStepUp`, also the errors of `stepUp`
   */
  readonly fetch: Fetch
  /**
   * Removes the session from all tabs that share the storage, and ends the session at the issuer.
   * With `storage: 'cookie'`: if a later login has replaced the cookie, the new cookie stays.
   *
   * @throws {ClientError} if the issuer does not answer. The session is removed from the storage
   *   anyway. But with `storage: 'cookie'`, the cookie remains and signs the user in again on the
   *   next page. To remove the cookie, call `logout` again
   */
  logout(): Promise<void>
  /**
   * Returns a valid access token, for WebSockets and other uses without `fetch`. Returns
   * `undefined` if no user is signed in or the session has expired. Also returns `undefined` if
   * another login replaces the session during a refresh. The next call returns the token of that
   * login.
   *
   * @throws {ClientError} `temporarily_unavailable` if a refresh gets no answer
   */
  accessToken(): Promise<string | undefined>
  /**
   * Whether a user is signed in, as far as the client knows. The session may already have ended at
   * the issuer. With `storage: 'cookie'`, a page asks the issuer once, because scripts cannot see
   * the cookie.
   *
   * @throws {ClientError} `temporarily_unavailable` if the issuer does not answer within 5 s, and
   *   `no_cookie_sessions` if the issuer has no cookie sessions
   */
  isSignedIn(): Promise<boolean>
  /**
   * Adds a listener, and returns a function that removes the listener. The client calls the
   * listener once when the session ends: if this client or another tab calls `logout()`, or if the
   * issuer refuses to refresh the session. The client also calls the listener once when a login in
   * another tab or client replaces the session. After such a login, `isSignedIn()` returns true.
   */
  onSignOut(listener: () => void): () => void
  /** Stops listening to other tabs. The session continues. */
  close(): void
}

/**
 * Creates a client. It sends no request until the first call.
 *
 * @throws {TypeError} for an option that is missing, unknown or wrong
 */
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
      // Calls each listener in its own microtask, so that an error of one listener does not break a
      // request.
      for (const listener of listeners) queueMicrotask(() => listener())
    },
  })

  const stepUps = createStepUps(keeper)
  return {
    ...createAccountMethods({
      issuer,
      fetch,
      // The issuer may get the token even if it is not one of the `resources`, because it has
      // created the token.
      fetchAsUser: createBearerFetch({ fetch, isResource: () => true, keeper, stepUps }),
      deviceSecret: keeper.deviceSecret,
    }),
    login: keeper.login,
    stepUp: keeper.stepUp,
    onStepUp: stepUps.onStepUp,
    fetch: createBearerFetch({ fetch, isResource, keeper, stepUps }),
    logout: keeper.logout,
    accessToken: async () => (await keeper.current())?.accessToken,
    isSignedIn: () =>
      within(signedInSeconds, async () => {
        const session = await keeper.read()
        return Boolean(session === unknownSession ? await keeper.current() : session)
      }),
    onSignOut(listener) {
      // Wraps the listener, so that the app can add the same listener twice and remove one of the
      // two.
      const own = (): void => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    close: keeper.close,
  }
}

/**
 * How many seconds `isSignedIn` waits for the issuer. The time is short, because a page must soon
 * know whether to show a login.
 */
const signedInSeconds = 5

/**
 * Runs `work`, and waits at most `seconds` for its result. Does NOT stop `work` after that time.
 *
 * @throws {ClientError} `temporarily_unavailable` if `work` takes longer
 */
async function within<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const message = `The issuer does not answer within ${seconds} s`
    const refuse = (): void => reject(new ClientError('temporarily_unavailable', message))
    timer = setTimeout(refuse, seconds * 1000)
  })
  return Promise.race([work(), late]).finally(() => clearTimeout(timer))
}

/**
 * Checks the options of `createClient`.
 *
 * @throws {TypeError} for an option that is unknown, and for a `storage` that is neither `'cookie'`
 *   nor an object
 */
function requireOptions(options: ClientOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('the argument of createClient() must be an object with at least `issuer`')
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
