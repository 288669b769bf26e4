import { OAuthError, type HttpAnswer } from 'keystile/internal'
import { readForm } from '../../http/form.ts'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'
import { addressOf } from '../audit/audit.ts'
import { authenticateClient } from '../clients/clients.ts'
import type { IssuedTokens } from '../sessions/issuing.ts'
import { grantByPassword, type LoginParts } from './grants/password.ts'
import { grantByRefreshToken, type RefreshParts } from './grants/refresh-token.ts'

/** What `grant_type` may be. */
export const grantTypes: readonly string[] = ['password', 'refresh_token']

const formSchema = {
  type: 'object',
  properties: {
    grant_type: { type: 'string', enum: grantTypes, default: 'password' },
    username: { type: 'string', description: 'The user name or the e-mail address' },
    password: { type: 'string', format: 'password' },
    refresh_token: { type: 'string', format: 'password' },
    scope: { type: 'string', description: 'Scopes with a space between them; without any, all that may be had' },
    client_id: { type: 'string' },
    client_secret: { type: 'string', format: 'password' },
  },
  anyOf: [{ required: ['username', 'password'] }, { required: ['grant_type', 'refresh_token'] }],
}

const tokenSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Seconds' },
    refresh_token: { type: 'string', description: 'Gets the next tokens, once' },
    scope: { type: 'string', description: 'What was granted' },
  },
  required: ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'],
}

/** `POST /token` (RFC 6749 §3.2): the form, the client, the grant. A form without `grant_type` is a login. */
export function tokenRoute<U>(parts: LoginParts<U> & RefreshParts<U>): OpenRoute {
  return {
    method: 'POST',
    path: '/token',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log in, or refresh',
      description:
        'RFC 6749. A form without grant_type is a login with username and password. A refresh token is used up by its refresh.',
      body: { type: 'form', schema: formSchema },
      success: { status: 200, description: 'Tokens', schema: tokenSchema },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = { ...(await authenticateClient(request, form, parts.audit)), address: addressOf(request) }
      switch (form.get('grant_type') ?? 'password') {
        case 'password': {
          const device = request.headers.get('user-agent') ?? undefined
          return answerOf(await grantByPassword(form, { ...client, device }, parts))
        }
        case 'refresh_token':
          return answerOf(await grantByRefreshToken(form, client, parts))
        default:
          throw new OAuthError('unsupported_grant_type', `The grant_type must be ${grantTypes.join(' or ')}`)
      }
    },
  }
}

/** RFC 6749 §5.1. */
function answerOf({ accessToken, expiresInSeconds, refreshToken, scopes }: IssuedTokens): HttpAnswer {
  return jsonAnswer(200, {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    refresh_token: refreshToken,
    scope: scopes.join(' '),
  })
}
