// A first-party app that logs in at the challenge endpoint.
import type { Answer, TestKeystile } from './keystile.ts'

/** The example of RFC 7636, appendix B. */
export const codeVerifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const pkce = {
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
} as const

type Fields = Readonly<Record<string, string>>

/** Sends a step of a login to `POST /authorize-challenge`. */
export function askForCode({ send }: Pick<TestKeystile, 'send'>, fields: Fields): Promise<Answer> {
  return send('POST', '/authorize-challenge', {
    form: { response_type: 'code', ...pkce, ...fields },
  })
}

/** Exchanges the code of an answer for tokens. */
export function exchange(
  { send }: Pick<TestKeystile, 'send'>,
  { json: { authorization_code: code } }: Answer,
  fields: Fields = {},
): Promise<Answer> {
  const form = { grant_type: 'authorization_code', code, code_verifier: codeVerifier, ...fields }
  return send('POST', '/token', { form })
}
