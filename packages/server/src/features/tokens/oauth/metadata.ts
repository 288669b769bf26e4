// The public documents of the issuer: its metadata (RFC 8414) and its public keys (RFC 7517).

import type { JwkSet } from 'keystile/jwt'
import { jsonAnswer, type OpenRoute } from '../../../http/route.ts'

const jwkSetSchema = {
  type: 'object',
  properties: {
    keys: {
      type: 'array',
      items: { type: 'object', properties: { kty: { type: 'string' } }, required: ['kty'] },
    },
  },
  required: ['keys'],
}

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

const jwksDoc = {
  tag: 'Metadata',
  summary: 'The public keys',
  description: 'A JWK Set (RFC 7517 §5).',
  success: {
    status: 200,
    description: 'The keys',
    schema: jwkSetSchema,
    type: 'application/jwk-set+json',
  },
} as const

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
 * Returns the routes of the metadata and of the public keys. The metadata is at the path that RFC
 * 8414 §3.1 prescribes, and also below the issuer, where many clients look.
 *
 * All URLs begin with the configured issuer. If the URLs came from the request, an attacker could
 * forge them with a `Host` header, and a cache would serve the forged document to other callers.
 *
 * @param published returns the public keys, and how long a verifier may cache them
 */
export function metadataRoutes({
  issuer,
  scopes,
  grantTypes,
  cookieSession,
  published,
}: {
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly grantTypes: readonly string[]
  readonly cookieSession: boolean
  published(): Promise<{ readonly keys: JwkSet; readonly maxAgeSeconds: number }>
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

  const get = { method: 'GET', refusals: 'problem' } as const
  const jwks: OpenRoute = {
    ...get,
    doc: jwksDoc,
    path: '/.well-known/jwks.json',
    below: 'issuer',
    async handle() {
      const { keys, maxAgeSeconds: keysMaxAge } = await published()
      const headers = { ...cachedFor(keysMaxAge), 'content-type': 'application/jwk-set+json' }
      return jsonAnswer(200, keys, headers)
    },
  }

  const issuerPath = new URL(issuer).pathname.replace(/\/$/, '')
  const describe = {
    ...get,
    doc: metadataDoc,
    handle: () => jsonAnswer(200, metadata, cachedFor(maxAgeSeconds)),
  }
  const prescribed: OpenRoute = { ...describe, path: `${wellKnown}${issuerPath}`, below: 'root' }
  // An issuer without a path is the root of the host, so the prescribed path is below it.
  if (issuerPath === '') return [jwks, prescribed]

  return [jwks, prescribed, { ...describe, path: wellKnown, below: 'issuer' }]
}

function cachedFor(seconds: number): { readonly 'cache-control': string } {
  return { 'cache-control': `public, max-age=${seconds}` }
}
