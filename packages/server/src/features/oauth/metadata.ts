import type { JwkSet } from 'keystile/jwt'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'

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
    token_endpoint: { type: 'string' },
    revocation_endpoint: { type: 'string' },
    introspection_endpoint: { type: 'string' },
    jwks_uri: { type: 'string' },
    scopes_supported: strings,
    response_types_supported: strings,
    grant_types_supported: strings,
    token_endpoint_auth_methods_supported: strings,
    revocation_endpoint_auth_methods_supported: strings,
    introspection_endpoint_auth_methods_supported: strings,
  },
  required: ['issuer', 'token_endpoint', 'jwks_uri', 'response_types_supported'],
}
/** How a confidential client authenticates (RFC 6749 §2.3.1). */
const secretMethods = ['client_secret_basic', 'client_secret_post']

const wellKnown = '/.well-known/oauth-authorization-server'
/** How long a verifier may cache the keys. */
const maxAgeSeconds = 300

/**
 * The public documents: the keys and the metadata. The metadata is at the path that RFC 8414 §3.1
 * prescribes, and at the path below the issuer, where many clients look. All URLs come from the
 * configured issuer, never from a request.
 */
export function metadataRoutes({
  issuer,
  scopes,
  grantTypes,
  published,
}: {
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly grantTypes: readonly string[]
  published(): JwkSet
}): readonly OpenRoute[] {
  const metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    scopes_supported: scopes,
    response_types_supported: [],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: ['none', ...secretMethods],
    revocation_endpoint_auth_methods_supported: ['none', ...secretMethods],
    introspection_endpoint_auth_methods_supported: secretMethods,
  }
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const get = { method: 'GET', refusals: 'problem' } as const
  const cached = { 'cache-control': `public, max-age=${maxAgeSeconds}` }
  const describe: OpenRoute['handle'] = () => jsonAnswer(200, metadata, cached)
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
    summary: 'What this authorization server is',
    description: 'RFC 8414.',
    success: { status: 200, description: 'The metadata', schema: metadataSchema },
  } as const
  return [
    {
      ...get,
      doc: jwksDoc,
      path: '/.well-known/jwks.json',
      below: 'issuer',
      handle: () =>
        jsonAnswer(200, published(), { ...cached, 'content-type': 'application/jwk-set+json' }),
    },
    { ...get, path: `${wellKnown}${path}`, below: 'root', doc: metadataDoc, handle: describe },
    ...(path === ''
      ? []
      : [
          { ...get, path: wellKnown, below: 'issuer', doc: metadataDoc, handle: describe } as const,
        ]),
  ]
}
