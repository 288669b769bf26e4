// A token in a form, as `POST /introspect`, `POST /revoke` and the step-up of `POST /token` get it.

import type { Identity, Verifier } from 'keystile'
import { OAuthError, TokenError, type JsonObject } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { areStorable } from '../../../storage/storable.ts'

/**
 * Verifies an access token. Returns its identity, or undefined if a guard would refuse the token.
 *
 * @throws {OAuthError} `temporarily_unavailable` if the server does not know at the moment which
 *   tokens are revoked. If the function returned undefined, the caller would think that the token
 *   is inactive
 */
export async function findVerified(
  token: string,
  verifier: Pick<Verifier, 'verify'>,
): Promise<Identity | undefined> {
  try {
    const identity = await verifier.verify(token)
    const { subject, clientId, sessionId } = identity
    return areStorable(subject, clientId, sessionId) ? identity : undefined
  } catch (error) {
    if (!(error instanceof TokenError)) throw error
    if (error.code !== 'temporarily_unavailable') return undefined

    const { message, retryAfterSeconds = 1 } = error
    throw new OAuthError('temporarily_unavailable', message, { cause: error, retryAfterSeconds })
  }
}

/**
 * Describes a form with the field `token`, as JSON Schema (RFC 7009 §2.1, RFC 7662 §2.1).
 *
 * @param token the description of the field `token`
 */
export function describeTokenForm(token: string): JsonObject {
  return {
    type: 'object',
    properties: {
      token: { type: 'string', format: 'password', description: token },
      token_type_hint: {
        type: 'string',
        description: 'Ignored: the server recognizes the kind of token by its form',
      },
      client_id: { type: 'string' },
      client_secret: { type: 'string', format: 'password' },
    },
    required: ['token'],
  }
}

/** @throws {OAuthError} `invalid_request` if the form of `describeTokenForm()` has no token */
export function readToken(form: Form): string {
  const token = form.get('token')
  if (token === undefined) throw new OAuthError('invalid_request', 'The form must have token')
  return token
}
