// The command `keystile token check`. It says whether an API with the given settings accepts a
// token. If the API would refuse the token, it says why.
import { readFileSync } from 'node:fs'
import { messageOf, type TokenError } from '../base/errors.ts'
import { createGuardCore } from '../guard/guard.ts'
import type { TokenType } from '../guard/identity.ts'
import type { TokenRules } from '../guard/token-rules.ts'
import { createVerifier, type Verifier, type VerifierOptions } from '../guard/verifier.ts'
import type { JwkSet } from '../keys/jwk-set.ts'
import { decodeJwtUnsafe } from '../token/jwt.ts'
import type { ScopesFrom } from '../token/plain-token.ts'
import { explanations } from './explanations.ts'
import { parseFlags, UsageError, type FlagValues } from './flags.ts'
import { tokenCheckFlags } from './token-check-flags.ts'

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

type Environment = Readonly<Record<string, string | undefined>>

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

type Flags = FlagValues<typeof tokenCheckFlags>

/** Reads the flags and the environment. @throws {UsageError} if a setting is missing or wrong */
function readSettings(args: readonly string[], environment: Environment) {
  const flags = parseFlags(args, tokenCheckFlags)
  const issuer = requireGiven(flags, environment, {
    flag: 'issuer',
    variable: 'KEYSTILE_ISSUER',
    what: 'the issuer of the token',
  })
  const audience = requireGiven(flags, environment, {
    flag: 'audience',
    variable: 'KEYSTILE_AUDIENCE',
    what: 'the audience (the name of the API)',
  })
  const [keysFile] = listOf(flags['keys'])
  const [jwksUri] = listOf(flags['jwks-uri'])

  // The option `audience` has the audiences as `values` if there is an --audience-claim.
  const names = { issuer: issuer.name, audience: audience.name, values: audience.name }
  const verifier = named(names, () =>
    createVerifier({
      issuer: issuer.values,
      revocations: 'none',
      ...readTokenRules(flags, audience.values),
      ...(keysFile !== undefined && { keys: readKeys(keysFile) }),
      ...(jwksUri !== undefined && { jwksUri }),
    }),
  )
  return { ...readDemand(flags, verifier), showsClaims: flags['claims'] === true }
}

interface Given {
  readonly values: readonly string[]
  /** The flag or the environment variable that has these values. */
  readonly name: string
}

/** Reads a flag or an environment variable. @throws {UsageError} if both are missing */
function requireGiven(
  flags: Flags,
  environment: Environment,
  setting: {
    readonly flag: 'issuer' | 'audience'
    readonly variable: string
    readonly what: string
  },
): Given {
  const { flag, variable, what } = setting
  const values = listOf(flags[flag])
  if (values.length > 0) return { values, name: `--${flag}` }
  const text = environment[variable]
  if (text) return { values: text.split(','), name: variable }
  throw new UsageError(`${what} must be given. Fix: add --${flag}, or set ${variable}`)
}

/**
 * Reads the flags that say which tokens are accepted. `createVerifier` checks the values of these
 * flags.
 */
function readTokenRules(
  flags: Flags,
  values: readonly string[],
): Pick<VerifierOptions, keyof TokenRules> {
  const [claim] = listOf(flags['audience-claim'])
  const [tokenType] = listOf(flags['token-type'])
  const [scopesFrom] = listOf(flags['scopes-from'])
  const [maxTokenAge] = listOf(flags['max-token-age'])
  const clients = listOf(flags['client'])
  return {
    audience: claim === undefined ? values : { claim, values },
    ...(tokenType !== undefined && { tokenType: tokenType as TokenType }),
    ...(clients.length > 0 && { clients }),
    ...(scopesFrom !== undefined && { scopesFrom: scopesFrom as ScopesFrom }),
    ...(maxTokenAge !== undefined && { maxTokenAgeSeconds: Number(maxTokenAge) }),
  }
}

function readDemand(flags: Flags, verifier: Verifier<TokenType>) {
  const guard = createGuardCore<string, undefined, TokenType>({ verifier })
  const scopes = listOf(flags['scope'])
  const [maxAge] = listOf(flags['max-age'])
  const acr = listOf(flags['acr'])
  if (maxAge !== undefined && !(Number(maxAge) > 0))
    throw new UsageError('--max-age must be a number of seconds above 0')

  const demand = {
    ...(scopes.length > 0 && { scopes }),
    ...(maxAge !== undefined && { maxAgeSeconds: Number(maxAge) }),
    ...(acr.length > 0 && { acr }),
  }
  const args = Object.keys(demand).length > 0 ? ([demand] as [typeof demand]) : []
  return { guard, demand: named({ acr: '--acr' }, () => guard.demand(args, false)) }
}

/**
 * Calls `make`. If it throws a `TypeError`, replaces each name of a library option in the message
 * with the name of the flag or the environment variable.
 *
 * @throws {UsageError} with this message
 */
function named<T>(names: Readonly<Record<string, string>>, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const all: Readonly<Record<string, string>> = {
      keys: '--keys',
      jwksUri: '--jwks-uri',
      claim: '--audience-claim',
      tokenType: '--token-type',
      clients: '--client',
      scopesFrom: '--scopes-from',
      maxTokenAgeSeconds: '--max-token-age',
      ...names,
    }
    const message = error.message.replace(/`(\w+)`/g, (whole, name: string) => all[name] ?? whole)
    throw new UsageError(message)
  }
}

function listOf(value: unknown): readonly string[] {
  return [value].flat().filter((one) => typeof one === 'string')
}

/** Reads the keys from a file. @throws {UsageError} if the file cannot be read */
function readKeys(file: string): NonNullable<VerifierOptions['keys']> {
  let text
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--keys must name a readable file: ${messageOf(error)}`)
  }
  if (!text.startsWith('{')) return text

  try {
    const keys: JwkSet = JSON.parse(text) // the verifier checks what is in it
    return keys
  } catch {
    throw new UsageError('--keys must name a file with a JWK Set in valid JSON, or with a secret')
  }
}
