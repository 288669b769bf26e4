import type { Identity, Verifier } from 'keystile'
import { OAuthError, type HttpRequestWithBody } from 'keystile/internal'
import { addressOf } from '../../../http/address.ts'
import { jsonAnswer } from '../../../http/answers.ts'
import { readForm } from '../../../http/form.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { authenticateClient } from '../clients/client-authentication.ts'
import type { Clients } from '../clients/clients.ts'
import type { ClientEvent } from '../clients/feature.ts'
import type { SessionRefresher } from '../sessions/refresh.ts'
import type { SessionEnds } from '../sessions/session-ends.ts'
import type { OAuthEvent } from './audit-events.ts'
import { recordForeignToken } from './foreign-token.ts'
import { describeTokenForm, findVerified, readToken } from './shown-token.ts'

export interface RevokeParts {
  readonly clients: Pick<Clients, 'find'>
  readonly refresher: Pick<SessionRefresher, 'find'>
  readonly ends: Pick<SessionEnds, 'end'>
  readonly verifier: Pick<Verifier, 'verify'>
  readonly audit: Audit<ClientEvent | OAuthEvent>
  readonly limits: Limits
}

/**
 * `POST /revoke`: ends the session of a token, which revokes all tokens of the session.
 *
 * An unknown or expired token gets the same answer as a valid token. But an expired access token
 * does not end its session, because logs may contain old tokens. A person who reads a log must not
 * be able to log users out. The endpoint refuses a token that was issued to a different client. It
 * also refuses a token from the client_credentials grant, because such a token has no session. A
 * refused token stays valid.
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
        'RFC 7009. Ends the session that the token belongs to. An unknown token is not an error.',
      body: {
        type: 'form',
        schema: describeTokenForm(
          'An access token or a refresh token. The refresh token may be a used one',
        ),
      },
      success: {
        status: 200,
        description: 'The token is no longer valid',
        schema: { type: 'object' },
      },
      refuses: { 429: 'Too many refused clients at this address' },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = await authenticateClient(request, form, parts)
      const token = readToken(form)

      const found =
        (await parts.refresher.find(token)) ?? (await findVerified(token, parts.verifier))
      if (found) await endSessionOf(found, { request, clientId: client.id }, parts)

      // Clients should ignore the body (RFC 7009 §2.2). But some clients parse every body as JSON,
      // so this body is an empty object.
      return jsonAnswer(200, {})
    },
  }
}

/**
 * Ends the session of a token, if the client may do this.
 *
 * @throws {OAuthError} when the token belongs to another client, or has no session
 */
async function endSessionOf(
  token: Pick<Identity, 'subject' | 'sessionId' | 'clientId'>,
  { request, clientId }: { readonly request: HttpRequestWithBody; readonly clientId: string },
  parts: RevokeParts,
): Promise<void> {
  const { subject, sessionId } = token
  if (token.clientId !== clientId) {
    const entry = { by: byStranger(request), subject, sessionId, clientId }
    await recordForeignToken({ event: 'revocation_refused', ...entry }, parts)
    // RFC 7009 §2.1 requires this refusal. The refusal reveals nothing, because the caller already
    // has the token.
    throw new OAuthError(
      'invalid_grant',
      'The token was issued to another client, and only that client may revoke it',
    )
  }
  if (sessionId === undefined)
    throw new OAuthError(
      'unsupported_token_type',
      'A token from client_credentials cannot be revoked; it expires by itself',
    )

  await parts.ends.end(sessionId, { actor: `user:${subject}`, address: addressOf(request) })
}
