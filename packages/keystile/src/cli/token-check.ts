// The command `keystile token check`. It says whether an API with the given settings accepts a
// token. If the API would refuse the token, it says why.
import type { TokenError } from '../base/errors.ts'
import { decodeJwtUnsafe } from '../token/jwt.ts'
import { explanations } from './explanations.ts'
import { UsageError } from './flags.ts'
import { readSettings, type Environment } from './token-check-settings.ts'

export const tokenCheckUsage = `keystile token check [flags]
  reads a token from standard input, and says whether an API accepts it, or why not

  --issuer URL      a trusted issuer; may be repeated. Default: KEYSTILE_ISSUER
  --audience NAME   the name of the API; may be repeated. Default: KEYSTILE_AUDIENCE
  --jwks-uri URL    the key set of the issuer. Default: the one in the issuer's metadata
  --keys FILE       a JWK Set or a shared secret in a file; not together with --jwks-uri
  --token-type JWT  for an issuer that does not follow RFC 9068. Then also:
    --audience-claim NAME   the claim that has the audience in a token without aud
    --client ID             a client whose tokens are accepted; may be repeated
    --scopes-from CLAIM     scope, scp or permissions
    --max-token-age SECONDS how long ago the token may have been issued
  --scope SCOPE     a scope that the route demands; may be repeated
  --max-age SECONDS how long ago the user may have logged in
  --acr VALUE       an acr that the route accepts; may be repeated
  --claims          also print the header and the claims of the token
The exit code is 0 for a valid token, 1 for a refused token and 2 for wrong settings.`

/** What the command prints, and its exit code. */
export interface Printed {
  readonly stdout: string
  readonly stderr: string
  readonly code: 0 | 1 | 2
}

/**
 * Checks a token as a guard does. Fetches keys only from the configured issuers, even if the token
 * names another issuer. The output never contains the token. The output contains claims only with
 * `--claims`.
 *
 * @param input a token, or the whole value of an `Authorization` header
 */
export async function checkToken(
  args: readonly string[],
  input: string,
  environment: Environment,
): Promise<Printed> {
  try {
    const { guard, demand, showsClaims } = readSettings(args, environment)
    const field = readField(input)
    const headers = { get: () => field }
    const decision = await guard.check({ method: 'GET', url: '/', headers }, demand)

    const found = decision.allowed ? valid : refusal(decision.error)
    const claims = showsClaims ? describeToken(field, decision.allowed) : []
    return printed(decision.allowed ? 0 : 1, [...found, ...claims])
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { stdout: '', stderr: `keystile: ${error.message}\n`, code: 2 }
  }
}

const valid = [
  'valid: an API with these settings accepts the token',
  '  Not checked: whether the token was revoked, and whether its user exists. Only the app knows.',
]

function refusal({ reason, detail, status, code, message }: TokenError): readonly string[] {
  const { meaning, cause, fix } = explanations[reason]
  return [
    `refused: ${reason}`,
    `  ${meaning}`,
    ...(detail === undefined ? [] : [`  Detail: ${detail}`]),
    `  Usual cause: ${cause}`,
    `  Fix: ${fix}`,
    `  The API answers ${status} ${code}: ${message}`,
  ]
}

/**
 * Turns the input into the value of an `Authorization` header: adds `Bearer` if it is missing.
 * Returns `undefined` for an empty input.
 */
function readField(input: string): string | undefined {
  const text = input.trim().replace(/^authorization:\s*/i, '')
  if (text === '') return undefined
  return /^bearer(?:\s|$)/i.test(text) ? text : `Bearer ${text}`
}

/**
 * Returns the lines for `--claims`. If `isProved` is false, the first line warns that the claims
 * are not verified.
 */
function describeToken(field: string | undefined, isProved: boolean): readonly string[] {
  const token = field?.split(' ').at(-1) ?? ''
  try {
    const title = isProved
      ? 'Header and claims:'
      : 'Header and claims, NOT verified: anyone may have written them'
    return [title, JSON.stringify(decodeJwtUnsafe(token), null, 2)]
  } catch {
    return ['The header and the claims cannot be read: the text is not a signed JWT.']
  }
}

/**
 * Makes the output from lines. Escapes all characters that could control the terminal, because
 * anyone may have written the claims.
 */
function printed(code: 0 | 1, lines: readonly string[]): Printed {
  const text = lines.join('\n').replace(/[^\x20-\x7e\n]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return { stdout: `${text}\n`, stderr: '', code }
}
