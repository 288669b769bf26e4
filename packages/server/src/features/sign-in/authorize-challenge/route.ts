import { OAuthError } from 'keystile/internal'
import type { Meter } from '../../../feature/metric.ts'
import { jsonAnswer } from '../../../http/answers.ts'
import { readForm, type Form } from '../../../http/form.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { authenticateClient } from '../../tokens/clients/client-authentication.ts'
import type { Clients } from '../../tokens/clients/clients.ts'
import type { ClientEvent } from '../../tokens/clients/feature.ts'
import { countGrant } from '../../tokens/oauth/count-grant.ts'
import { authorizationCodeGrant } from '../../tokens/oauth/grants/authorization-code.ts'
import { callerOf } from '../../tokens/oauth/grants/grant.ts'
import {
  firstStep,
  laterStep,
  logInForCode,
  loginFormParameters,
  requireStep,
  type LoginEndpointParts,
} from '../../tokens/oauth/login-endpoint.ts'
import { nextStepRefusal, tokenSchema } from '../../tokens/oauth/token-answer.ts'

export interface AuthorizeChallengeParts extends LoginEndpointParts {
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit<ClientEvent>
  readonly limits: Limits
  readonly meter: Meter
}

/** A SHA-256 as base64url. */
const codeChallenge = /^[A-Za-z0-9_-]{43}$/

const body = {
  type: 'form',
  schema: {
    type: 'object',
    properties: {
      response_type: { type: 'string', enum: ['code'] },
      ...loginFormParameters,
      code_challenge: {
        type: 'string',
        pattern: codeChallenge.source,
        description: 'The SHA-256 of the code_verifier, as base64url (RFC 7636)',
      },
      code_challenge_method: { type: 'string', enum: ['S256'] },
      client_id: { type: 'string' },
      client_secret: { type: 'string', format: 'password' },
    },
    anyOf: [
      { required: ['response_type', 'code_challenge', 'code_challenge_method', ...firstStep] },
      { required: laterStep },
    ],
  },
} as const

const answerSchema = {
  type: 'object',
  properties: {
    authorization_code: {
      type: 'string',
      description: 'Send it within a minute, as the code of POST /token or POST /session',
    },
    recovery_codes: tokenSchema.properties.recovery_codes,
  },
  required: ['authorization_code'],
}

/**
 * `POST /authorize-challenge` (OAuth 2.0 for First-Party Applications, draft 04 §5): logs a person
 * in, and gives the app an authorization code. It checks, in this order: the form, the client, the
 * code challenge, and what the person presents. The login is the same as at `POST /token`; only its
 * end differs. A later step, with `auth_session`, goes on with the code challenge and the scope of
 * the first one.
 */
export function authorizeChallengeRoute(parts: AuthorizeChallengeParts): OpenRoute {
  return {
    method: 'POST',
    path: '/authorize-challenge',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log in for an authorization code',
      description:
        'For first-party clients. Like POST /token with a password, but the answer is a code, ' +
        'which only the holder of the code_verifier can exchange.',
      body,
      success: { status: 200, description: 'An authorization code', schema: answerSchema },
      refuses: {
        403: nextStepRefusal,
        429: 'Too many tries',
      },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = await authenticateClient(request, form, parts)
      if (!client.firstParty || !client.grants.includes(authorizationCodeGrant.grantType))
        throw new OAuthError(
          'unauthorized_client',
          'The client must be first-party and have the grant authorization_code',
        )

      const values = Object.fromEntries(
        Object.keys(loginFormParameters).map((name) => [name, form.get(name)]),
      )
      requireStep(values)
      const challenge = form.has('auth_session') ? undefined : readCodeChallenge(form)

      const caller = callerOf(request, client)
      const issuing = logInForCode('challenge', values, caller, challenge, parts)
      const { code, recoveryCodes } = await countGrant(parts.meter, 'code', issuing)
      return jsonAnswer(200, {
        authorization_code: code,
        ...(recoveryCodes && { recovery_codes: recoveryCodes }),
      })
    },
  }
}

/**
 * Reads the code challenge of a first step. Without it, who reads the code could exchange it.
 *
 * @throws {OAuthError} `invalid_request`
 */
function readCodeChallenge(form: Form): string {
  if (form.get('response_type') !== 'code')
    throw new OAuthError('invalid_request', 'The response_type must be code')
  // The default of RFC 7636 §4.3 is plain, which protects nothing here.
  if (form.get('code_challenge_method') !== 'S256')
    throw new OAuthError('invalid_request', 'The code_challenge_method must be S256')
  const challenge = form.get('code_challenge') ?? ''
  if (!codeChallenge.test(challenge))
    throw new OAuthError(
      'invalid_request',
      'The code_challenge must be the SHA-256 of the code_verifier, as 43 characters of base64url',
    )
  return challenge
}
