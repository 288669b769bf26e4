// The answer of each endpoint that gives tokens: `POST /token` and `POST /session`.

import type { Granted } from './grants/grant.ts'

export const tokenSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Seconds' },
    refresh_token: {
      type: 'string',
      description:
        'Send it to get the next tokens. It works once. Missing if the client may not refresh',
    },
    scope: { type: 'string', description: 'The granted scopes, separated by spaces' },
    device_secret: {
      type: 'string',
      description: 'Keep it after the session ends, and send it with the next login',
    },
    recovery_codes: {
      type: 'array',
      items: { type: 'string' },
      description: 'After a login that set up a second factor: shown once, and each works once',
    },
  },
  required: ['access_token', 'token_type', 'expires_in', 'scope'] as const,
}

/**
 * The JSON answer of the token endpoint (RFC 6749 §5.1). JSON leaves out a member that is
 * undefined.
 */
export interface WireTokens {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly refresh_token: string | undefined
  readonly scope: string
  readonly device_secret: string | undefined
  readonly recovery_codes: readonly string[] | undefined
}

export function wireTokens({
  accessToken,
  expiresInSeconds,
  refreshToken,
  scopes,
  deviceSecret,
  recoveryCodes,
}: Granted): WireTokens {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    refresh_token: refreshToken,
    scope: scopes.join(' '),
    device_secret: deviceSecret,
    recovery_codes: recoveryCodes,
  }
}

/** What the 403 of a login means. */
export const nextStepRefusal: string =
  'The login needs another step: send one of methods, with auth_session if there is one; or send ' +
  'auth_session with enrol, if the account must have a second factor'
