import { OAuthError, type HttpRequestWithBody } from 'keystile/internal'
import type { Identity, Verifier } from 'keystile'
import { readForm } from '../../http/form.ts'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'
import type { ClientEvent } from '../clients/feature.ts'
import { authenticateClient } from '../clients/client-authentication.ts'
import type { Limits } from '../limits/limits.ts'
import type { Clients } from '../clients/clients.ts'
import { addressOf, byStranger, type Audit } from '../audit/audit.ts'
import type { SessionRefresher } from '../sessions/refresh.ts'
import type { SessionEnds } from '../sessions/session-ends.ts'
import type { OAuthEvent } from './audit-events.ts'
import { recordForeignToken } from './foreign-token.ts'
import { describeTokenForm, findVerified } from './shown-token.ts'

/** What a revocation needs. */
export interface RevokeParts {
  readonly clients: Pick<Clients, 'find'>
  readonly refresher: Pick<SessionRefresher, 'find'>
  readonly ends: Pick<SessionEnds, 'end'>
  readonly verifier: Pick<Verifier, 'verify'>
  readonly audit: Audit<ClientEvent | OAuthEvent>
  readonly limits: Limits
}

/**
 * `POST /revoke`: ends the session of a token, and with it all its tokens. An unknown or expired
 * token gets the same answer. An expired access token ends nothing: it proves nothing any more, and
 * old ones lie in logs. A token of another client is refused and stays valid, and so does a token
 * that a client has for itself: it has no session.
 *
 * @see RFC 7009 §2.1 §2.2
 */
export function revokeRoute(parts: RevokeParts): OpenRoute {
  return {
    method: 'POST',
    path: '/revoke',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log out',
      description:
        'RFC 7009. Ends the session that the token belongs to. An unknown token is no fault.',
      body: {
        type: 'form',
        schema: describeTokenForm('A refresh token, also a used one, or an access token'),
      },
      success: {
        status: 200,
        description: 'The token is good for nothing',
        schema: { type: 'object' },
      },
      refuses: { 429: 'A client was refused too often' },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = await authenticateClient(request, form, parts)
      const token = form.get('token')
      if (token === undefined) throw new OAuthError('invalid_request', 'The form must have token')

      const found =
        (await parts.refresher.find(token)) ?? (await findVerified(token, parts.verifier))
      if (found) await endSessionOf(found, { request, clientId: client.id }, parts)

      // The client ignores the body (RFC 7009 §2.2), but some clients read every answer as JSON.
      return jsonAnswer(200, {})
    },
  }
}

/** @throws {OAuthError} when the token is another client's, or has no session */
async function endSessionOf(
  token: Pick<Identity, 'subject' | 'sessionId' | 'clientId'>,
  { request, clientId }: { readonly request: HttpRequestWithBody; readonly clientId: string },
  parts: RevokeParts,
): Promise<void> {
  const { subject, sessionId } = token
  if (token.clientId !== clientId) {
    const entry = { by: byStranger(request), subject, sessionId, clientId }
    await recordForeignToken({ event: 'revocation_refused', ...entry }, parts)
    // The client is told (RFC 7009 §2.1). An unknown token, in contrast, is no fault.
    throw new OAuthError(
      'invalid_grant',
      'The token was issued to another client, which alone may revoke it',
    )
  }
  if (sessionId === undefined)
    throw new OAuthError(
      'unsupported_token_type',
      'A token that a client has for itself cannot be taken back; it ends by itself',
    )

  await parts.ends.end(sessionId, { actor: `user:${subject}`, address: addressOf(request) })
}
