// The tokens and the metadata of nine issuers, as each documents them, and the programs of
// docs/guides/other-issuers.md. Header and claims are the documented ones. Audiences, scopes and
// tenants are those of the page, and the times are now. Each token is signed by a test key.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { MiddlewareHandler } from 'hono'
import type { JWTPayload, JWTVerifyOptions } from 'jose'
import type { TokenReason, Verifier } from 'keystile'
import { canSign, toBase64url } from 'keystile/internal'
import { exportPublicJwk, generateKey, importKey, type Jwk, type SigningKey } from 'keystile/jwt'
import { sign } from '../../packages/keystile/test-support/raw-signature.ts'
import { blocks, root } from '../docs/blocks.ts'

type Members = Readonly<Record<string, unknown>>

/** The header, without `alg` and `kid`, and the claims of a token. */
export interface Sample {
  readonly header: Members
  readonly claims: Members
}

export interface DocumentedIssuer {
  /** The heading of its section. */
  readonly name: string
  readonly algorithm: 'RS256' | 'ES256' | 'HS256'
  readonly token: Sample
  /** What the page's verifier makes of the token. */
  readonly identity: {
    readonly subject: string
    readonly clientId: string | undefined
    readonly scopes: readonly string[]
  }
  /** What it publishes; undefined if the app has the secret. */
  readonly published?: {
    readonly metadataUrl: string
    readonly jwksUri: string
    /** The status of its answer to any other URL. Default: 404. */
    readonly missing?: number
    /** The members of its keys that differ from `exportPublicJwk`. */
    readonly key?: Members
    /** Other keys that it publishes. */
    readonly others?: readonly Jwk[]
  }
  /** Claims that make the token one of another tenant, and one for another audience. */
  readonly otherTenant: Members
  readonly otherAudience: Members
  /** Claims that make the token one to which the page's program must give no scope. */
  readonly unscoped?: readonly (readonly [what: string, claims: Members])[]
  /** Other tokens that the page's verifier must refuse. */
  readonly refused: readonly (readonly [what: string, token: Sample, reason: TokenReason])[]
  /** The checks that the issuer documents, for jose: its options, and what it cannot check. */
  readonly options: JWTVerifyOptions
  readonly check?: (claims: JWTPayload) => boolean
}

/** The time of the tokens: whole seconds. */
export const now = Math.floor(Date.now() / 1000)
const times = { iat: now - 60, exp: now + 3_540 }
const typed = { typ: 'JWT' }
const audience = 'https://orders.example'

const auth0: DocumentedIssuer = {
  name: 'Auth0',
  algorithm: 'RS256',
  token: {
    header: typed,
    claims: {
      iss: 'https://my-domain.auth0.com/',
      sub: 'auth0|123456',
      aud: [audience, 'https://my-domain.auth0.com/userinfo'],
      azp: 'my_client_id',
      ...times,
      scope: 'openid profile orders:read',
      my_custom_claim: 'my_custom_value',
    },
  },
  identity: {
    subject: 'auth0|123456',
    clientId: 'my_client_id',
    scopes: ['openid', 'profile', 'orders:read'],
  },
  published: {
    metadataUrl: 'https://my-domain.auth0.com/.well-known/openid-configuration',
    jwksUri: 'https://my-domain.auth0.com/.well-known/jwks.json',
  },
  otherTenant: { iss: 'https://other-domain.auth0.com/' },
  otherAudience: { aud: ['https://other.example', 'https://my-domain.auth0.com/userinfo'] },
  refused: [
    [
      'its ID token',
      {
        header: typed,
        claims: {
          iss: 'https://my-domain.auth0.com/',
          sub: 'auth0|123456',
          aud: 'my_client_id',
          ...times,
          name: 'Jane Doe',
          given_name: 'Jane',
          family_name: 'Doe',
          gender: 'female',
          birthdate: '0000-10-31',
          email: 'janedoe@example.com',
          picture: 'http://example.com/janedoe/me.jpg',
        },
      },
      'wrong_audience',
    ],
  ],
  options: { issuer: 'https://my-domain.auth0.com/', audience, algorithms: ['RS256'] },
}

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const entraApp = '6e74172b-be56-4843-9ff4-e66a39bb12e3'
const entraClaims = {
  aud: entraApp,
  iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
  nbf: times.iat,
  ...times,
  aio: 'AXQAi/8IAAAAtAaZLo3ChMif6KOnttRB7eBq4/DccQzjcJGxPYy/C3jDaNGxXd6wNIIVGRghNRnwJ1lO',
  name: 'Abe Lincoln',
  oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
  preferred_username: 'abeli@microsoft.com',
  rh: 'I',
  sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
  tid: tenant,
  uti: 'fqiBqXLPj0eQa82S-IYFAA',
  ver: '2.0',
}

const entra: DocumentedIssuer = {
  name: 'Entra ID',
  algorithm: 'RS256',
  token: {
    header: typed,
    claims: { ...entraClaims, azp: entraApp, azpacr: '0', scp: 'access_as_user' },
  },
  identity: { subject: entraClaims.sub, clientId: entraApp, scopes: ['access_as_user'] },
  published: {
    metadataUrl: `${entraClaims.iss}/.well-known/openid-configuration`,
    jwksUri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`,
    key: { alg: undefined, x5t: 'x', x5c: ['MIID'], issuer: entraClaims.iss },
  },
  otherTenant: {
    iss: entraClaims.iss.replace('72f9', '8000'),
    tid: tenant.replace('72f9', '8000'),
  },
  otherAudience: { aud: '00000003-0000-0000-c000-000000000000' },
  refused: [
    [
      'its ID token',
      { header: typed, claims: { ...entraClaims, nonce: '5586ff49' } },
      'wrong_type',
    ],
    [
      'its ID token without a nonce',
      { header: typed, claims: { ...entraClaims, email: 'abeli@microsoft.com' } },
      'wrong_client',
    ],
    [
      'a token of another app',
      { header: typed, claims: { ...entraClaims, azp: tenant, scp: 'access_as_user' } },
      'wrong_client',
    ],
    [
      'a v1 token',
      {
        header: { ...typed, x5t: 'i6lGk3FZzxRcUb2C3nEQ7syHJlY' },
        claims: {
          aud: entraApp,
          iss: `https://sts.windows.net/${tenant}/`,
          ...times,
          appid: entraApp,
          appidacr: '0',
          scp: 'access_as_user',
          sub: 'l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA',
          ver: '1.0',
        },
      },
      'wrong_issuer',
    ],
  ],
  options: { issuer: entraClaims.iss, audience: entraApp, algorithms: ['RS256'] },
  // v1 tokens have `appid`. The verifier also takes the client from the claims of other issuers.
  check: ({ azp, appid, client_id, cid }) => (azp ?? appid ?? client_id ?? cid) === entraApp,
}

const oktaIssuer = 'https://my-domain.okta.com/oauth2/default'

const okta: DocumentedIssuer = {
  name: 'Okta',
  algorithm: 'RS256',
  token: {
    header: {},
    claims: {
      ver: 1,
      jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
      iss: oktaIssuer,
      aud: audience,
      sub: '00ujmkLgagxeRrAg20g3',
      ...times,
      cid: 'nmdP1fcyvdVO11AL7ECm',
      uid: '00ujmkLgagxeRrAg20g3',
      scp: ['openid', 'email', 'custom', 'orders:read'],
      custom_claim: 'CustomValue',
    },
  },
  identity: {
    subject: '00ujmkLgagxeRrAg20g3',
    clientId: 'nmdP1fcyvdVO11AL7ECm',
    scopes: ['openid', 'email', 'custom', 'orders:read'],
  },
  published: {
    metadataUrl: `${oktaIssuer}/.well-known/openid-configuration`,
    jwksUri: `${oktaIssuer}/v1/keys`,
  },
  otherTenant: { iss: 'https://other-domain.okta.com/oauth2/default' },
  otherAudience: { aud: 'https://other.example' },
  refused: [
    [
      'its ID token',
      {
        header: {},
        claims: {
          ver: 1,
          sub: '00uid4BxXw6I6TV4m0g3',
          iss: oktaIssuer,
          aud: 'uAaunofWkaDJxukCFeBx',
          ...times,
          amr: ['pwd'],
          jti: 'ID.4eAWJOCMB3SX8XewDfVR',
          auth_time: times.iat,
          at_hash: 'cpqKfdQA5eH891Ff5oJr_Q',
          name: 'John Doe',
          email: 'john.doe@example.com',
          email_verified: true,
        },
      },
      'wrong_audience',
    ],
    [
      'a token of the org authorization server',
      {
        header: {},
        claims: { iss: 'https://my-domain.okta.com', aud: 'https://my-domain.okta.com', ...times },
      },
      'wrong_issuer',
    ],
  ],
  options: { issuer: oktaIssuer, audience, algorithms: ['RS256'] },
}

const pool = 'https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example'
const cognitoClient = '57cbishk4j24pabc1234567890'
const cognitoClaims = {
  sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  device_key: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  'cognito:groups': ['admin'],
  token_use: 'access',
  scope: 'aws.cognito.signin.user.admin orders/read',
  auth_time: times.iat,
  iss: pool,
  ...times,
  origin_jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  client_id: cognitoClient,
  username: 'janedoe@example.com',
}

const cognito: DocumentedIssuer = {
  name: 'Cognito',
  algorithm: 'RS256',
  token: { header: {}, claims: cognitoClaims },
  identity: {
    subject: cognitoClaims.sub,
    clientId: cognitoClient,
    scopes: ['aws.cognito.signin.user.admin', 'orders/read'],
  },
  published: {
    metadataUrl: `${pool}/.well-known/openid-configuration`,
    jwksUri: `${pool}/.well-known/jwks.json`,
    missing: 400,
  },
  otherTenant: { iss: 'https://cognito-idp.us-west-2.amazonaws.com/us-west-2_other' },
  otherAudience: { client_id: '1example23456789' },
  refused: [
    [
      'its ID token',
      {
        header: {},
        claims: {
          sub: cognitoClaims.sub,
          aud: cognitoClient,
          email_verified: true,
          token_use: 'id',
          auth_time: times.iat,
          iss: pool,
          'cognito:username': 'janedoe',
          ...times,
          given_name: 'Jane',
          email: 'janedoe@example.com',
          jti: cognitoClaims.jti,
          origin_jti: cognitoClaims.origin_jti,
        },
      },
      'wrong_audience',
    ],
    [
      'a token that is bound to another resource',
      { header: {}, claims: { ...cognitoClaims, aud: 'https://other.example' } },
      'wrong_audience',
    ],
  ],
  options: { issuer: pool, algorithms: ['RS256'] },
  // The verifier also accepts a token without `token_use`; all tokens of Cognito have it.
  check: ({ token_use = 'access', client_id }) =>
    token_use === 'access' && client_id === cognitoClient,
}

const realm = 'https://keycloak.example/realms/shop'
const keycloakClaims = {
  ...times,
  auth_time: times.iat,
  jti: 'd58f5dc8-fd8f-462b-8a19-716f8f83985b',
  iss: realm,
  aud: ['orders', 'account'],
  sub: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
  typ: 'Bearer',
  azp: 'shop-web',
  sid: '2a88c258-f73a-4103-b862-e1fbd8f4e04e',
  acr: '1',
  'allowed-origins': ['https://shop.example'],
  realm_access: { roles: ['offline_access', 'uma_authorization'] },
  resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
  scope: 'openid email profile orders:read',
  email_verified: true,
  preferred_username: 'ada',
}

const keycloak: DocumentedIssuer = {
  name: 'Keycloak',
  algorithm: 'RS256',
  token: { header: typed, claims: keycloakClaims },
  identity: {
    subject: keycloakClaims.sub,
    clientId: 'shop-web',
    scopes: ['openid', 'email', 'profile', 'orders:read'],
  },
  published: {
    metadataUrl: `${realm}/.well-known/openid-configuration`,
    jwksUri: `${realm}/protocol/openid-connect/certs`,
    others: [{ kid: 'enc', kty: 'RSA', alg: 'RSA-OAEP', use: 'enc', n: 'AQAB', e: 'AQAB' }],
  },
  otherTenant: { iss: 'https://keycloak.example/realms/other' },
  otherAudience: { aud: ['account'] },
  refused: [
    [
      'its ID token',
      {
        header: typed,
        claims: { ...keycloakClaims, aud: 'shop-web', typ: 'ID', at_hash: 'x', nonce: 'n' },
      },
      'wrong_audience',
    ],
    [
      'its ID token for the client of the API',
      { header: typed, claims: { ...keycloakClaims, aud: 'orders', azp: 'orders', typ: 'ID' } },
      'wrong_type',
    ],
    [
      'a token before Keycloak 25',
      { header: typed, claims: { ...keycloakClaims, nonce: 'n' } },
      'wrong_type',
    ],
    [
      'a token of one client that is both app and API',
      { header: typed, claims: { ...keycloakClaims, azp: 'orders' } },
      'wrong_type',
    ],
    [
      'a refresh token, whose aud is the realm',
      { header: typed, claims: { ...keycloakClaims, aud: realm, typ: 'Refresh' } },
      'wrong_audience',
    ],
  ],
  options: { issuer: realm, audience: 'orders', algorithms: ['RS256'] },
}

const project = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1'
const supabaseClaims = {
  aal: 'aal1',
  amr: [{ method: 'password', timestamp: times.iat }],
  app_metadata: { provider: 'email', providers: ['email'] },
  aud: 'authenticated',
  email: 'user@example.com',
  ...times,
  iss: project,
  phone: '',
  role: 'authenticated',
  session_id: '123e4567-e89b-12d3-a456-426614174000',
  sub: '123e4567-e89b-12d3-a456-426614174000',
  user_metadata: { name: 'John Doe' },
  is_anonymous: false,
}

const supabase: DocumentedIssuer = {
  name: 'Supabase',
  algorithm: 'ES256',
  token: { header: typed, claims: supabaseClaims },
  identity: { subject: supabaseClaims.sub, clientId: undefined, scopes: ['orders:read'] },
  published: {
    metadataUrl: `${project}/.well-known/openid-configuration`,
    jwksUri: `${project}/.well-known/jwks.json`,
    key: { use: undefined, key_ops: ['verify'] },
  },
  otherTenant: { iss: 'https://other.supabase.co/auth/v1' },
  otherAudience: { aud: 'anon' },
  unscoped: [
    ['an anonymous user', { is_anonymous: true }],
    ['an OAuth client', { client_id: '9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d' }],
    ['a user with the role anon', { role: 'anon' }],
  ],
  refused: [
    [
      'its ID token',
      {
        header: typed,
        claims: {
          iss: project,
          sub: supabaseClaims.sub,
          aud: '9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d',
          ...times,
          auth_time: times.iat,
          nonce: 'random-nonce-from-request',
          email: 'user@example.com',
          email_verified: true,
          name: 'John Doe',
        },
      },
      'wrong_audience',
    ],
    [
      'the service role key',
      {
        header: typed,
        claims: { iss: 'supabase', ref: 'abcdefghijklmnopqrst', role: 'service_role', ...times },
      },
      'wrong_issuer',
    ],
  ],
  options: { issuer: project, audience: 'authenticated', algorithms: ['ES256'] },
}

const firebase: DocumentedIssuer = {
  name: 'Firebase',
  algorithm: 'RS256',
  token: {
    header: typed,
    claims: {
      iss: 'https://securetoken.google.com/my-project',
      aud: 'my-project',
      auth_time: times.iat,
      user_id: 'Xk893R23H9SH893',
      sub: 'Xk893R23H9SH893',
      ...times,
      email: 'user@example.com',
      email_verified: true,
      firebase: { identities: { email: ['user@example.com'] }, sign_in_provider: 'password' },
      admin: true,
    },
  },
  identity: { subject: 'Xk893R23H9SH893', clientId: undefined, scopes: ['orders:read'] },
  published: {
    metadataUrl: 'https://securetoken.google.com/my-project/.well-known/openid-configuration',
    jwksUri:
      'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
  },
  otherTenant: { iss: 'https://securetoken.google.com/other-project' },
  otherAudience: { aud: 'other-project' },
  unscoped: [
    ['a user who is not an administrator', { admin: undefined }],
    ['a user whose claim admin is a string', { admin: 'true' }],
  ],
  refused: [],
  options: {
    issuer: 'https://securetoken.google.com/my-project',
    audience: 'my-project',
    algorithms: ['RS256'],
    maxTokenAge: 3600, // refuses an `iat` in the future
  },
  check: ({ sub }) => typeof sub === 'string' && sub !== '',
}

const clerkClaims = {
  azp: 'https://example.com',
  ...times,
  fva: [7, -1],
  iss: 'https://clerk.example.com',
  jti: '1234567890',
  nbf: times.iat - 10,
  sid: 'sess_123',
  sub: 'user_123',
  v: 2,
  pla: 'u:free,o:pro',
  fea: 'o:dashboard,o:impersonation',
  o: { id: 'org_123', slg: 'org-slug', rol: 'admin', per: 'read,manage', fpm: '3,2' },
}

const clerk: DocumentedIssuer = {
  name: 'Clerk',
  algorithm: 'RS256',
  token: { header: typed, claims: clerkClaims },
  identity: { subject: 'user_123', clientId: 'https://example.com', scopes: ['orders:read'] },
  published: {
    metadataUrl: 'https://clerk.example.com/.well-known/oauth-authorization-server',
    jwksUri: 'https://clerk.example.com/.well-known/jwks.json',
  },
  otherTenant: { iss: 'https://other.clerk.accounts.dev' },
  otherAudience: { azp: 'https://other.example' },
  unscoped: [
    ['a pending session', { sts: 'pending' }],
    ['a JWT template', { sid: undefined, v: undefined }],
  ],
  refused: [
    [
      'its ID token',
      {
        header: typed,
        claims: {
          iss: 'https://clerk.example.com',
          sub: 'user_123',
          aud: 'oauth_client_123',
          ...times,
          email: 'ada@example.com',
          name: 'Ada',
          org_id: 'org_123',
        },
      },
      'wrong_audience',
    ],
    [
      'a token that got no Origin',
      { header: typed, claims: { ...clerkClaims, azp: undefined } },
      'wrong_audience',
    ],
    [
      'a token of a JWT template with an aud',
      { header: typed, claims: { ...clerkClaims, aud: 'https://hasura.example' } },
      'wrong_audience',
    ],
  ],
  options: { issuer: 'https://clerk.example.com', algorithms: ['RS256'] },
  check: ({ azp }) => azp === undefined || azp === 'https://example.com',
}

const passportJwt: DocumentedIssuer = {
  name: 'passport-jwt',
  algorithm: 'HS256',
  token: {
    header: typed,
    claims: {
      sub: '1',
      username: 'ada',
      permissions: ['orders:read'],
      ...times,
      aud: audience,
      iss: 'https://auth.example',
    },
  },
  identity: { subject: '1', clientId: undefined, scopes: ['orders:read'] },
  otherTenant: { iss: 'https://other.example' },
  otherAudience: { aud: 'https://other.example' },
  refused: [
    [
      'a token with a number as sub',
      {
        header: typed,
        claims: { sub: 1, ...times, aud: audience, iss: 'https://auth.example' },
      },
      'malformed_claim',
    ],
    [
      'a token without aud, such as a link in a mail',
      { header: typed, claims: { sub: '1', ...times, iss: 'https://auth.example' } },
      'wrong_audience',
    ],
  ],
  options: { issuer: 'https://auth.example', audience, algorithms: ['HS256'] },
}

const issuers: readonly DocumentedIssuer[] = [
  auth0,
  entra,
  okta,
  cognito,
  keycloak,
  supabase,
  firebase,
  clerk,
  passportJwt,
]

/** What a program of the page exports. */
interface Program {
  readonly verifier: Verifier<'JWT'>
  guard(scope: string): MiddlewareHandler
  /** The shared secret; undefined if the issuer publishes keys. */
  readonly secret?: string
}

/** A program of the page, and the issuer that it trusts. */
export interface Trust extends Program {
  readonly issuer: DocumentedIssuer
  readonly key: SigningKey
  /** Signs a token as the issuer does. */
  issue(token: Sample, key?: SigningKey): string
}

export const keyId = 'test-key'
const keys = {
  RS256: generateKey('RS256', { keyId }),
  ES256: generateKey('ES256', { keyId }),
} as const

/**
 * Imports the programs of the page unchanged. They discover the keys through `globalThis.fetch`,
 * which answers from then on as the issuers do.
 */
export async function importPrograms(): Promise<readonly Trust[]> {
  globalThis.fetch = async (url) => answer(typeof url === 'string' ? url : '')

  // Inside the repository, so that the names of the packages resolve.
  const folder = mkdtempSync(join(root, 'test/docs/blocks-'))
  try {
    return await Promise.all(issuers.map((issuer) => importProgram(issuer, folder)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function importProgram(issuer: DocumentedIssuer, folder: string): Promise<Trust> {
  const { name, algorithm, token } = issuer
  const found = blocks.filter(
    (block) =>
      block.name.startsWith('guides-other-issuers-') &&
      block.code.includes(`issuer: '${String(token.claims['iss'])}'`),
  )
  const [block, another] = found
  assert.ok(block && !another, `the page must have one program for ${name}`)
  const file = join(folder, `${block.name}.ts`)
  writeFileSync(file, block.code)
  const program = (await import(pathToFileURL(file).href)) as Program

  const { secret = '' } = program
  const key = algorithm === 'HS256' ? importKey({ secret, algorithm }) : keys[algorithm]
  assert.ok(canSign(key))
  return { ...program, issuer, key, issue: (sample, by = key) => issue(issuer, sample, by) }
}

function issue(
  { algorithm }: DocumentedIssuer,
  { header, claims }: Sample,
  key: SigningKey,
): string {
  const kid = algorithm === 'HS256' ? undefined : keyId
  const parts = [{ alg: algorithm, kid, ...header }, claims]
  const input = parts.map((part) => toBase64url(Buffer.from(JSON.stringify(part)))).join('.')
  return `${input}.${toBase64url(sign(key, Buffer.from(input)))}`
}

/** Answers as the issuer of a URL does. */
function answer(url: string): Response {
  for (const { algorithm, token, published } of issuers) {
    if (!published || algorithm === 'HS256') continue
    const { metadataUrl, jwksUri, missing = 404, key, others = [] } = published
    if (url === metadataUrl)
      return Response.json({ issuer: token.claims['iss'], jwks_uri: jwksUri })
    if (url === jwksUri)
      return Response.json({ keys: [...others, { ...exportPublicJwk(keys[algorithm]), ...key }] })
    if (new URL(url).origin === new URL(metadataUrl).origin)
      return new Response(null, { status: missing })
  }
  throw new Error(`no issuer documents ${url}`)
}
