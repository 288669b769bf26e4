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
 * The JSON answer of the token endpoint (RFC 6749 §5.1). A member without a value is left out; it
 * is never null.
 */
export interface WireTokens {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope: string
  readonly device_secret?: string
  readonly recovery_codes?: readonly string[]
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
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    scope: scopes.join(' '),
    ...(deviceSecret !== undefined && { device_secret: deviceSecret }),
    ...(recoveryCodes && { recovery_codes: recoveryCodes }),
  }
}

/** What the 403 of a login means. */
export const nextStepRefusal: string =
  'The login needs another step: send one of methods, with auth_session if there is one; or send ' +
  'auth_session with enrol, if the account must have a second factor'
