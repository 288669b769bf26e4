// Makes a guard from the flags and the environment variables of `keystile token check`.
import { readFileSync } from 'node:fs'
import { messageOf } from '../base/errors.ts'
import type { Demand } from '../guard/demand.ts'
import { createGuardCore, type GuardCore } from '../guard/guard.ts'
import type { TokenType } from '../guard/identity.ts'
import type { TokenRules } from '../guard/token-rules.ts'
import { createVerifier, type Verifier, type VerifierOptions } from '../guard/verifier.ts'
import type { JwkSet } from '../keys/jwk-set.ts'
import type { ScopesFrom } from '../token/plain-token.ts'
import { parseFlags, UsageError, type FlagValues } from './flags.ts'
import { tokenCheckFlags } from './token-check-flags.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A guard like that of the API, and what the route demands. */
export interface TokenCheckSettings extends GuardAndDemand {
  /** Whether to print the header and the claims of the token. */
  readonly showsClaims: boolean
}

interface GuardAndDemand {
  readonly guard: GuardCore<string, undefined, TokenType>
  readonly demand: Demand
}

type Flags = FlagValues<typeof tokenCheckFlags>

/** Reads the flags and the environment. @throws {UsageError} if a setting is missing or wrong */
export function readSettings(
  args: readonly string[],
  environment: Environment,
): TokenCheckSettings {
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

  // With --audience-claim, `values` of the option `audience` has the audiences.
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

function readDemand(flags: Flags, verifier: Verifier<TokenType>): GuardAndDemand {
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

/** Maps the options of the library to the flags that have only one source. */
const flagOfOption = {
  keys: '--keys',
  jwksUri: '--jwks-uri',
  claim: '--audience-claim',
  tokenType: '--token-type',
  clients: '--client',
  scopesFrom: '--scopes-from',
  maxTokenAgeSeconds: '--max-token-age',
}

/**
 * Calls `make`. If it throws a `TypeError`, replaces each name of a library option in the message
 * with the name of the flag or the environment variable.
 *
 * @param names maps the options that a flag or a variable may give to the one that was given
 * @throws {UsageError} with this message
 */
function named<T>(names: Readonly<Record<string, string>>, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const all: Readonly<Record<string, string>> = { ...flagOfOption, ...names }
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
