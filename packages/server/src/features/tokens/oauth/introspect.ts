import type { Identity, Verifier } from 'keystile'
import { OAuthError, type JsonObject } from 'keystile/internal'
import { jsonAnswer } from '../../../http/answers.ts'
import { readForm } from '../../../http/form.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { authenticateClient } from '../clients/client-authentication.ts'
import type { Clients } from '../clients/clients.ts'
import type { ClientEvent } from '../clients/feature.ts'
import { describeTokenForm, findVerified, readToken } from './shown-token.ts'

export interface IntrospectParts {
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit<ClientEvent>
  readonly limits: Pick<Limits, 'count'>
  readonly verifier: Pick<Verifier, 'verify'>
  /**
   * Returns whether the user of a token is still active. Returns true for a token from
   * client_credentials, which has no user.
   */
  isWelcome(identity: Identity): Promise<boolean>
}

const introspectionSchema = {
  type: 'object',
  properties: {
    active: { type: 'boolean' },
    token_type: { type: 'string', const: 'bearer' },
    iss: { type: 'string' },
    sub: { type: 'string' },
    aud: { type: ['string', 'array'] },
    client_id: { type: 'string' },
    scope: { type: 'string' },
    exp: { type: 'integer' },
    iat: { type: 'integer' },
    jti: { type: 'string' },
    sid: { type: 'string' },
    auth_time: { type: 'integer' },
    amr: { type: 'array', items: { type: 'string' } },
    acr: { type: 'string' },
  },
  required: ['active'],
}

/**
 * The claims that the answer repeats under the same names (RFC 7662 §2.2). A claim that is not
 * listed here is not disclosed.
 */
const repeatedClaims = [
  'iss',
  'sub',
  'aud',
  'client_id',
  'exp',
  'iat',
  'jti',
  'sid',
  'auth_time',
  'amr',
  'acr',
] as const

/**
 * `POST /introspect`: returns whether a guarded route would accept an access token now. For a token
 * that would be accepted, also returns its claims. Refuses a client without the permission
 * `introspect`, so that an attacker cannot test stolen tokens (RFC 7662 §4).
 *
 * Returns `active: false` for every string that is not a valid access token, even for a valid
 * refresh token. If it returned `active: true` for a refresh token, an API that uses this endpoint
 * would accept the refresh token as an access token.
 *
 * @see RFC 7662 §2.1 §2.2 §4
 */
export function introspectRoute(parts: IntrospectParts): OpenRoute {
  const { verifier, isWelcome } = parts
  return {
    method: 'POST',
    path: '/introspect',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Ask whether a token is valid',
      description: 'RFC 7662. For clients that may introspect.',
      body: { type: 'form', schema: describeTokenForm('An access token') },
      success: {
        status: 200,
        description: 'Whether the token is active. An active token comes with its claims',
        schema: introspectionSchema,
      },
      refuses: { 429: 'Too many refused clients at this address' },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = await authenticateClient(request, form, parts)
      if (!client.may.includes('introspect'))
        throw new OAuthError('unauthorized_client', 'This client may not introspect')

      const identity = await findVerified(readToken(form), verifier)
      if (!identity || !(await isWelcome(identity))) return jsonAnswer(200, { active: false })
      return jsonAnswer(200, describeToken(identity))
    },
  }
}

/** Returns the answer for an active token. A claim that is undefined is not in the JSON. */
function describeToken({ claims, scopes }: Identity): JsonObject {
  return {
    active: true,
    token_type: 'bearer',
    scope: scopes.join(' '),
    ...Object.fromEntries(repeatedClaims.map((name) => [name, claims[name]])),
  }
}
