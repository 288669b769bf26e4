import { OAuthError } from 'keystile/internal'
import { readForm, type Form } from '../../http/form.ts'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'
import { authenticateClient } from '../clients/client-authentication.ts'
import { grantTypes, type Clients, type GrantType } from '../clients/clients.ts'
import { addressOf } from '../audit/audit.ts'
import { observeGrant, type Observer } from '../metrics/observer.ts'
import { grantByClientCredentials, type ClientCredentialsParts } from './grants/client-credentials.ts'
import { grantByPassword, type Granted, type PasswordGrantParts } from './grants/password.ts'
import { grantByRefreshToken, type RefreshParts } from './grants/refresh-token.ts'

const formSchema = {
  type: 'object',
  properties: {
    grant_type: { type: 'string', enum: grantTypes, default: 'password' },
    username: { type: 'string', description: 'The user name or the e-mail address' },
    password: { type: 'string', format: 'password' },
    refresh_token: { type: 'string', format: 'password' },
    scope: { type: 'string', description: 'Scopes with a space between them; without any, all that may be had' },
    device_secret: { type: 'string', format: 'password', description: 'What this device got at its last login' },
    client_id: { type: 'string' },
    client_secret: { type: 'string', format: 'password' },
  },
  anyOf: [
    { required: ['username', 'password'] },
    { required: ['grant_type', 'refresh_token'] },
    { properties: { grant_type: { const: 'client_credentials' } }, required: ['grant_type'] },
  ],
}

export const tokenSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Seconds' },
    refresh_token: { type: 'string', description: 'Gets the next tokens, once; none for a client that may not' },
    scope: { type: 'string', description: 'What was granted' },
    device_secret: { type: 'string', description: 'To be kept beyond the session and sent with the next login' },
  },
  required: ['access_token', 'token_type', 'expires_in', 'scope'] as const,
}

/** What the token endpoint needs. */
export interface TokenParts<U> extends PasswordGrantParts, RefreshParts<U>, ClientCredentialsParts {
  readonly clients: Pick<Clients, 'find'>
  readonly observer: Observer
}

/** `POST /token` (RFC 6749 §3.2): the form, the client, the grant, whether the client may use it. A form without `grant_type` is a login. */
export function tokenRoute<U>(parts: TokenParts<U>): OpenRoute {
  return {
    method: 'POST',
    path: '/token',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log in, or refresh',
      description:
        'RFC 6749. A form without grant_type is a login with username and password. A refresh token is used up by its refresh. Clients that act for themselves send client_credentials.',
      body: { type: 'form', schema: formSchema },
      success: { status: 200, description: 'Tokens', schema: tokenSchema },
      refuses: { 429: 'Too many tries' },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = { ...(await authenticateClient(request, form, parts)), address: addressOf(request) }
      const grantType = readGrantType(form)
      if (!client.grants.includes(grantType))
        throw new OAuthError('unauthorized_client', `This client may not use the grant_type ${grantType}`)
      const device = request.headers.get('user-agent') ?? undefined
      const issued: Granted =
        grantType === 'password'
          ? await observeGrant(parts.observer, 'login', grantByPassword(form, { ...client, device }, parts))
          : grantType === 'refresh_token'
            ? await observeGrant(parts.observer, 'refresh', grantByRefreshToken(form, client, parts))
            : grantByClientCredentials(form, client, parts)
      return jsonAnswer(200, wireTokens(issued))
    },
  }
}

function readGrantType(form: Form): GrantType {
  const named = form.get('grant_type') ?? 'password'
  const grantType = grantTypes.find((known) => known === named)
  if (!grantType) throw new OAuthError('unsupported_grant_type', `The grant_type must be ${grantTypes.join(' or ')}`)
  return grantType
}

/** An answer's tokens (RFC 6749 §5.1): no member is null. */
export interface WireTokens {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope: string
  readonly device_secret?: string
}

export function wireTokens({ accessToken, expiresInSeconds, refreshToken, scopes, deviceSecret }: Granted): WireTokens {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    scope: scopes.join(' '),
    ...(deviceSecret !== undefined && { device_secret: deviceSecret }),
  }
}
