import { OAuthError } from 'keystile/internal'
import { readForm } from '../../http/form.ts'
import { jsonAnswer, type Route } from '../../http/route.ts'
import { authenticateClient } from '../clients/clients.ts'
import { grantByPassword } from './grants/password.ts'

/** `POST /token` (RFC 6749 §3.2): the form, the client, the grant. A form without `grant_type` is a login. */
export function tokenRoute(
  parts: Parameters<typeof grantByPassword>[2] & { readonly accessTokenSeconds: number },
): Route {
  return {
    method: 'POST',
    path: '/token',
    below: 'issuer',
    refusals: 'oauth',
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
