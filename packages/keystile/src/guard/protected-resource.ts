// The metadata of an API (RFC 9728). It tells clients which issuers to ask for a token. The
// challenges of the API's guards contain the URL of the metadata.
import { ProblemError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import { kindOf, requireKnownOptions } from '../base/options.ts'
import { pathOf, type HttpAnswer, type HttpRequest } from '../http/message.ts'
import { problemAnswer } from '../http/problem.ts'
import { findServerUrl, isSafe } from '../http/server-url.ts'
import type { TokenType } from './identity.ts'
import type { Verifier } from './verifier.ts'

export interface ProtectedResourceOptions {
  /**
   * The URL of this API, as clients call it. It must be an https URL, or an http URL of this
   * machine. It must have no user name, no query and no fragment (RFC 9728 §1.2). It must also
   * be one of the verifier's audiences, because clients ask the issuer for a token for this URL
   * (RFC 8707).
   */
  readonly resource: string
  /** The verifier of the API's guards. Its issuers are `authorization_servers` in the metadata. */
  readonly verifier: Verifier<TokenType>
  /**
   * The scopes of the API, as the guards declare them. The metadata lists them as
   * `scopes_supported`. Default: the metadata lists no scopes.
   */
  readonly scopes?: Readonly<Record<string, string>>
  /** The name of the API for people: `resource_name` in the metadata. */
  readonly resourceName?: string
  /** The http or https URL of a page for developers: `resource_documentation` in the metadata. */
  readonly resourceDocumentation?: string
}

export interface ProtectedResource {
  /** Answers a request for the metadata; `undefined` for a request with another path. */
  answer(request: HttpRequest): Promise<HttpAnswer | undefined>
  /**
   * Adds the URL of the metadata to all later challenges of the verifier's guards. `mount` calls
   * this function.
   *
   * @throws {TypeError} if the verifier already belongs to another resource
   */
  onMount(): void
}

const optionNames: readonly (keyof ProtectedResourceOptions)[] = [
  'resource',
  'verifier',
  'scopes',
  'resourceName',
  'resourceDocumentation',
]

/**
 * How many seconds a client may cache the metadata. The cache saves requests, and a change still
 * reaches clients within five minutes.
 */
const maxAgeSeconds = 300

/** The metadata is public and has no secret, so pages of all origins may read it. */
const cors = { 'access-control-allow-origin': '*' }

// The verifier connects an API's metadata with its guards. An app's own verifier is only an
// object, so the URLs are stored beside the verifiers.
const metadataUrls = new WeakMap<Verifier<TokenType>, string>()

/**
 * Describes this API to clients. After `mount(protectedResource({ resource, verifier }))` in any
 * framework, the app answers GET requests for the metadata. The path of the metadata is
 * `/.well-known/oauth-protected-resource` plus the path of `resource`. The challenges of the
 * verifier's guards then have the parameter `resource_metadata`, the URL of the metadata.
 *
 * All values come from the options. If they came from the request, an attacker could forge them
 * with a `Host` header.
 *
 * Does NOT fetch anything from the issuers, and does NOT check that they issue tokens for
 * `resource`.
 *
 * @throws {TypeError} for an option that is missing, unknown or wrong, and for a verifier with an
 *   issuer that is not an https URL
 * @see RFC 9728 §2, §3.1, §5.1
 */
export function protectedResource(options: ProtectedResourceOptions): ProtectedResource {
  const { url, metadata } = readOptions(options)
  const { verifier } = options
  const metadataUrl = metadataUrlOf(url)
  const { pathname } = new URL(metadataUrl)
  const body = JSON.stringify(metadata)

  return {
    async answer(request) {
      return pathOf(request.url) === pathname ? answerMethod(request.method, body) : undefined
    },
    onMount() {
      const known = metadataUrls.get(verifier)
      if (known !== undefined && known !== metadataUrl) {
        throw new TypeError(
          `a verifier must belong to one resource; this one already has ${known}. ` +
            'Fix: create a verifier for each resource, with the resource as its audience',
        )
      }
      metadataUrls.set(verifier, metadataUrl)
    },
  }
}

/** Returns the URL of the metadata for a verifier; `undefined` if the metadata is not mounted. */
export function findMetadataUrl(verifier: Verifier<TokenType>): string | undefined {
  return metadataUrls.get(verifier)
}

/**
 * Returns the URL of the metadata. RFC 9728 §3.1 inserts the well-known path before the path of the
 * resource.
 */
function metadataUrlOf({ origin, pathname }: URL): string {
  const path = pathname === '/' ? '' : pathname
  return `${origin}/.well-known/oauth-protected-resource${path}`
}

function answerMethod(method: string, body: string): HttpAnswer {
  const allow = 'GET, HEAD, OPTIONS'
  // The server removes the body of an answer to HEAD.
  if (method === 'GET' || method === 'HEAD') {
    const headers = {
      'content-type': 'application/json',
      'cache-control': `public, max-age=${maxAgeSeconds}`,
      ...cors,
    }
    return { status: 200, headers, body }
  }

  if (method === 'OPTIONS') {
    // A page may send any header, such as `MCP-Protocol-Version`; then its browser asks first.
    const headers = { allow, ...cors, 'access-control-allow-headers': '*' }
    return { status: 204, headers }
  }

  const refusal = new ProblemError('method_not_allowed', `The method must be one of ${allow}`)
  return problemAnswer(refusal, { allow, ...cors })
}

/**
 * Checks the options and makes the metadata from them.
 *
 * @throws {TypeError} for an option that is missing, unknown or wrong
 */
function readOptions(options: ProtectedResourceOptions): {
  readonly url: URL
  readonly metadata: Readonly<Record<string, unknown>>
} {
  requireKnownOptions('protectedResource', options, optionNames)
  const { resource, verifier, scopes, resourceName, resourceDocumentation } = options
  const url = requireResource(resource)
  requireVerifier(verifier, resource)

  if (scopes !== undefined && !isJsonObject(scopes)) {
    throw new TypeError(
      '`scopes` must be an object that maps each scope to its description, as for createGuard; ' +
        `it is ${kindOf(scopes)}`,
    )
  }
  if (resourceName !== undefined && (typeof resourceName !== 'string' || resourceName === '')) {
    throw new TypeError(`\`resourceName\` must be a name; it is ${kindOf(resourceName)}`)
  }
  if (resourceDocumentation !== undefined && !isPage(resourceDocumentation)) {
    throw new TypeError('`resourceDocumentation` must be the http or https URL of a page')
  }

  const scopeNames = Object.keys(scopes ?? {})
  const metadata = {
    resource,
    authorization_servers: issuersOf(verifier),
    bearer_methods_supported: ['header'],
    // An empty list must be left out (RFC 9728 §3.2).
    ...(scopeNames.length > 0 && { scopes_supported: scopeNames }),
    // JSON leaves out a member that is undefined.
    resource_name: resourceName,
    resource_documentation: resourceDocumentation,
  }
  return { url, metadata }
}

/**
 * Requires that the resource is written as clients write it, because clients compare it with the
 * URL that they called (RFC 9728 §3.3).
 *
 * @throws {TypeError}
 */
function requireResource(resource: string): URL {
  const url = requireServerUrl('`resource`', resource)
  // `https://api.example` and `https://api.example/` are the same URL for every client.
  if (url.href === resource || url.href === `${resource}/`) return url
  throw new TypeError(
    `\`resource\` must be normalized, as clients write it. Fix: resource: '${url.href}'`,
  )
}

/**
 * Checks the verifier. Each issuer must be a URL that clients can use. The resource must be one of
 * the audiences, so that the guards accept the tokens that clients request for this resource.
 *
 * @throws {TypeError}
 */
function requireVerifier(verifier: Verifier<TokenType>, resource: string): void {
  if (typeof verifier?.verify !== 'function') {
    throw new TypeError(
      `\`verifier\` must be a verifier; it is ${kindOf(verifier)}. Fix: pass the verifier that ` +
        'your guards use: either the result of createVerifier(), or keystile.verifier',
    )
  }
  for (const issuer of issuersOf(verifier)) requireServerUrl('each issuer', issuer)

  // Otherwise a client would get a token for the resource, and the guards would refuse it.
  const { audiences } = verifier
  if (audiences && !audiences.includes(resource)) {
    const list = [...audiences, resource].map((name) => `'${name}'`).join(', ')
    throw new TypeError(
      '`resource` must be an audience of the verifier, because clients request tokens for the ' +
        'resource. ' +
        `Fix: set \`audience\` of createVerifier to [${list}], ` +
        `or \`audience\` of createKeystile to '${resource}'`,
    )
  }
}

function issuersOf({ issuer, issuers = [issuer] }: Verifier<TokenType>): readonly string[] {
  return issuers
}

/**
 * Parses a URL of a server.
 *
 * @throws {TypeError} The message contains at most the origin of the URL, because the rest may
 *   contain a password
 */
function requireServerUrl(name: string, text: unknown): URL {
  const url = findServerUrl(text)
  if (url && isSafe(url)) return url
  const what = url?.origin ?? (typeof text === 'string' ? 'another text' : kindOf(text))
  throw new TypeError(
    `${name} must be an https URL without user, query and fragment; it is ${what}. ` +
      'Fix: write it like https://api.example/v1. ' +
      'http is accepted only on localhost, 127.0.0.0/8 and [::1]',
  )
}

function isPage(page: unknown): boolean {
  return typeof page === 'string' && URL.canParse(page) && /^https?:/.test(page)
}
