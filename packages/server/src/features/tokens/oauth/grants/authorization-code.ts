import { OAuthError, type OAuthReason } from 'keystile/internal'
import type { Login } from '../../../sign-in/login/login.ts'
import { recordForeignToken, type TokenRefusalParts } from '../foreign-token.ts'
import { defineGrant, type Grant } from './grant.ts'

export interface AuthorizationCodeParts extends TokenRefusalParts {
  readonly login: Login
}

/** 43 to 128 unreserved characters (RFC 7636 §4.1). */
const codeVerifier = /^[\w.~-]{43,128}$/

/**
 * Exchanges an authorization code for tokens. Checks the form of the verifier here, and all else in
 * `exchange` (`features/sign-in/login/exchange.ts`). Every refusal is the same, so a caller cannot
 * learn which codes exist.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_grant`
 * @see RFC 6749 §4.1.3, RFC 7636 §4.5
 */
export const authorizationCodeGrant: Grant<'code' | 'code_verifier', AuthorizationCodeParts> =
  defineGrant({
    grantType: 'authorization_code',
    kind: 'login',
    parameters: {
      code: {
        type: 'string',
        format: 'password',
        description: 'The `authorization_code` of `POST /authorize-challenge`. It works once',
      },
      code_verifier: {
        type: 'string',
        format: 'password',
        description:
          'The secret that the client made before `POST /authorize-challenge`. The ' +
          '`code_challenge` was its SHA-256 (RFC 7636)',
      },
    },
    required: ['code', 'code_verifier'],
    async issue({ code, code_verifier: verifier }, caller, parts: AuthorizationCodeParts) {
      if (!codeVerifier.test(verifier))
        throw new OAuthError(
          'invalid_request',
          'The code_verifier must be 43 to 128 of A-Z a-z 0-9 - . _ ~ (RFC 7636)',
        )

      const { device, address, acceptLanguage } = caller
      const sender = { client: caller, device, address, acceptLanguage }
      const done = await parts.login.exchange({ code, verifier, ...sender })
      if (done.outcome === 'granted') return done

      // A code in the hands of another client was stolen or leaked, so the audit record has it.
      if (done.reason === 'wrong_client') {
        const by = { actor: 'nobody', address } as const
        const { subject } = done.code ?? {}
        const entry = { event: 'code_refused', by, subject, clientId: caller.id } as const
        await recordForeignToken(entry, parts)
      }
      throw invalid(done.reason)
    },
  })

function invalid(reason: OAuthReason): OAuthError {
  const message = 'The code or its code_verifier is invalid, or the code has expired or was used'
  return new OAuthError('invalid_grant', message, { reason })
}
