import { OAuthError } from 'keystile/internal'
import { readForm } from '../../http/form.ts'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'
import { authenticateClient } from '../clients/clients.ts'
import { grantByPassword, type LoginParts } from './grants/password.ts'

const formSchema = {
  type: 'object',
  properties: {
    grant_type: { type: 'string', enum: ['password'], default: 'password' },
    username: { type: 'string', description: 'The user name or the e-mail address' },
    password: { type: 'string', format: 'password' },
    scope: { type: 'string', description: 'Scopes with a space between them; without any, all that the user holds' },
    client_id: { type: 'string' },
    client_secret: { type: 'string', format: 'password' },
  },
  required: ['username', 'password'],
}

const tokenSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Seconds' },
    scope: { type: 'string', description: 'What was granted' },
  },
  required: ['access_token', 'token_type', 'expires_in', 'scope'],
}

/** `POST /token` (RFC 6749 §3.2): the form, the client, the grant. A form without `grant_type` is a login. */
export function tokenRoute<U>(parts: LoginParts<U> & { readonly accessTokenSeconds: number }): OpenRoute {
  return {
    method: 'POST',
    path: '/token',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log in',
      description: 'RFC 6749. A form without grant_type is a login with username and password.',
      body: { type: 'form', schema: formSchema },
      success: { status: 200, description: 'A token', schema: tokenSchema },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = authenticateClient(request, form)
      const grantType = form.get('grant_type') ?? 'password'
      if (grantType !== 'password') throw new OAuthError('unsupported_grant_type', 'The grant_type must be password')
      const { accessToken, scopes } = await grantByPassword(form, client, parts)
      return jsonAnswer(200, {
        access_token: accessToken,
        token_type: 'bearer',
        expires_in: parts.accessTokenSeconds,
        scope: scopes.join(' '),
      })
    },
  }
}
