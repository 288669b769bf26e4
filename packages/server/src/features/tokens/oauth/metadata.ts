import { jsonAnswer } from '../../../http/answers.ts'
import type { OpenRoute } from '../../../http/route.ts'

const strings = { type: 'array', items: { type: 'string' } }

const metadataSchema = {
  type: 'object',
  properties: {
    issuer: { type: 'string' },
    authorization_challenge_endpoint: { type: 'string' },
    token_endpoint: { type: 'string' },
    revocation_endpoint: { type: 'string' },
    introspection_endpoint: { type: 'string' },
    jwks_uri: { type: 'string' },
    keystile_session_endpoint: {
      type: 'string',
      description: 'The endpoint for cookie sessions, if the server has them',
    },
    scopes_supported: strings,
    response_types_supported: strings,
    grant_types_supported: strings,
    code_challenge_methods_supported: strings,
    token_endpoint_auth_methods_supported: strings,
    revocation_endpoint_auth_methods_supported: strings,
    introspection_endpoint_auth_methods_supported: strings,
  },
  required: ['issuer', 'token_endpoint', 'jwks_uri', 'response_types_supported'],
}

/** How a confidential client authenticates (RFC 6749 §2.3.1). */
const secretMethods = ['client_secret_basic', 'client_secret_post']

const metadataDoc = {
  tag: 'Metadata',
  summary: 'The metadata of this authorization server',
  description: 'RFC 8414.',
  success: { status: 200, description: 'The metadata', schema: metadataSchema },
} as const

const wellKnown = '/.well-known/oauth-authorization-server'

/**
 * How long a client may cache the metadata. Five minutes save most requests, and a change still
 * reaches every client within minutes.
 */
const maxAgeSeconds = 300

/**
 * Returns the routes of the metadata of the issuer (RFC 8414). It is at the path that RFC 8414 §3.1
 * prescribes, and also below the issuer, where many clients look.
 *
 * All URLs begin with the configured issuer. If the URLs came from the request, an attacker could
 * forge them with a `Host` header, and a cache would serve the forged document to other callers.
 */
export function metadataRoutes({
  issuer,
  scopes,
  grantTypes,
  cookieSession,
}: {
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly grantTypes: readonly string[]
  readonly cookieSession: boolean
}): readonly OpenRoute[] {
  const metadata = {
    issuer,
    authorization_challenge_endpoint: `${issuer}/authorize-challenge`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    // This member is not in the registry of RFC 8414 §7.1, so its name has the prefix `keystile_`.
    ...(cookieSession && { keystile_session_endpoint: `${issuer}/session` }),
    scopes_supported: scopes,
    response_types_supported: ['code'],
    grant_types_supported: grantTypes,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', ...secretMethods],
    revocation_endpoint_auth_methods_supported: ['none', ...secretMethods],
    introspection_endpoint_auth_methods_supported: secretMethods,
  }

  const issuerPath = new URL(issuer).pathname.replace(/\/$/, '')
  const route = {
    method: 'GET',
    refusals: 'problem',
    doc: metadataDoc,
    handle: () =>
      jsonAnswer(200, metadata, { 'cache-control': `public, max-age=${maxAgeSeconds}` }),
  } as const
  const prescribed: OpenRoute = { ...route, path: `${wellKnown}${issuerPath}`, below: 'root' }
  // An issuer without a path is the root of the host, so the prescribed path is below it.
  if (issuerPath === '') return [prescribed]

  return [prescribed, { ...route, path: wellKnown, below: 'issuer' }]
}
