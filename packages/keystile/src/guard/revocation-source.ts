// Reads the option `revocations` of a verifier.
import type { Clock } from '../base/clock.ts'
import { errorLogger, type Logger } from '../base/log.ts'
import { kindOf, requireKnownOptions } from '../base/options.ts'
import { requireFetch, type Fetch } from '../http/fetch-json.ts'
import { findServerUrl, isSafe } from '../http/server-url.ts'
import { createRevocationFeed } from './revocation-feed.ts'
import type { RevocationFeedOptions, Revocations, RevocationSource } from './revocations.ts'

interface RevocationOptions {
  readonly revocations: 'none' | RevocationFeedOptions | Revocations
  readonly fetch?: Fetch
  readonly logger?: Logger
}

const feedOptions: readonly (keyof RevocationFeedOptions)[] = [
  'clientId',
  'clientSecret',
  'whenStale',
]

/**
 * Checks the option `revocations`. Without this check, the app would start with a wrong object, and
 * then refuse every request, or admit revoked tokens.
 *
 * @returns `undefined` for `'none'`
 * @throws {TypeError} for any value but `'none'`, the options of a feed, or an object with all
 *   members of `Revocations`
 */
export function readRevocations(
  options: RevocationOptions,
  issuers: readonly [string, ...string[]],
  clock: Clock,
): RevocationSource | undefined {
  const { revocations, logger = errorLogger } = options
  if (revocations === 'none') return undefined
  if (isFeed(revocations)) {
    const { clientId, clientSecret, whenStale } = requireFeed(revocations)
    const url = requireFeedUrl(issuers)
    const fetch = requireFetch(options.fetch)
    return createRevocationFeed({ url, clientId, clientSecret, whenStale, fetch, clock, logger })
  }

  const isComplete =
    typeof revocations?.isRevoked === 'function' &&
    typeof revocations.refresh === 'function' &&
    typeof revocations.state === 'string'
  if (isComplete) return sourceOf(revocations)
  throw new TypeError(
    "`revocations` has no default: pass 'none' if revoked tokens may stay valid until they " +
      'expire, or { clientId, clientSecret, whenStale } to read the revocations of a Keystile ' +
      'server, or an object with state, isRevoked() and refresh()',
  )
}

function isFeed(
  revocations: RevocationOptions['revocations'],
): revocations is RevocationFeedOptions {
  return (
    typeof revocations === 'object' &&
    revocations !== null &&
    feedOptions.some((name) => name in revocations)
  )
}

/**
 * Returns the given options of a feed.
 *
 * @throws {TypeError} for an option that is missing, unknown or wrong. The message never repeats
 *   the secret
 */
function requireFeed(feed: RevocationFeedOptions): RevocationFeedOptions {
  requireKnownOptions('`revocations`', feed, feedOptions)
  for (const name of ['clientId', 'clientSecret'] as const) {
    const value: unknown = feed[name]
    if (typeof value !== 'string' || !value.isWellFormed() || value === '') {
      throw new TypeError(
        `\`${name}\` of \`revocations\` must be a string that is not empty; it is ` +
          `${kindOf(value)}. Fix: create a client with ` +
          '`keystile client create NAME --may revocations`',
      )
    }
  }
  if (feed.whenStale !== 'accept' && feed.whenStale !== 'refuse') {
    throw new TypeError(
      "`whenStale` of `revocations` must be 'refuse' or 'accept'; it has no default. When no " +
        "news of revocations has arrived for 4 seconds, 'refuse' answers 503, and 'accept' " +
        'accepts tokens, although they may be revoked',
    )
  }
  return feed
}

/**
 * Returns the URL of the revocation feed.
 *
 * @throws {TypeError} if there is more than one issuer, or if the client secret would cross a
 *   network without TLS
 */
function requireFeedUrl([issuer, ...others]: readonly [string, ...string[]]): string {
  if (others.length > 0) {
    throw new TypeError(
      '`revocations` with a clientId works with one issuer only. ' +
        'Fix: create a verifier for each issuer',
    )
  }
  const url = findServerUrl(issuer)
  if (url && isSafe(url)) return `${issuer.replace(/\/$/, '')}/revocations`
  throw new TypeError(
    '`issuer` must be an https URL without user, query or fragment, because revocations are ' +
      'fetched from there. http is accepted only on localhost, 127.0.0.0/8 and [::1]',
  )
}

/**
 * Makes a `RevocationSource` from the app's own `Revocations` object. Reads the members of that
 * object again at each use.
 */
function sourceOf(revocations: Revocations): RevocationSource {
  const isCurrent = (): boolean => revocations.state === 'current'
  return {
    get state() {
      return revocations.state
    },
    ageSeconds: undefined,
    retryAfterSeconds: 1,
    needsRefresh: () => !isCurrent(),
    isUsable: isCurrent,
    isRevoked(token) {
      const revoked: unknown = revocations.isRevoked(token)
      // A function without `return` would revoke no token. A function that returns a promise would
      // revoke every token.
      if (typeof revoked === 'boolean') return revoked
      throw new TypeError('isRevoked() of `revocations` must return true or false')
    },
    refresh: () => revocations.refresh(),
    close() {},
  }
}
