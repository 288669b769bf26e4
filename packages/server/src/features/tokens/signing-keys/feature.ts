import { readFileSync } from 'node:fs'
import type { Jwk, JwkSet } from 'keystile/jwt'
import * as z from 'zod'
import { showSecretPath } from '../../../base/file-fault.ts'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../../../feature/setting.ts'
import { auditEvents, type SigningKeyEvent } from './audit-events.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'
import { issuerRules, type IssuerRuleOptions } from './issuer-rules.ts'
import { signingKeyAge, signingKeyRemaining } from './metrics.ts'
import { rules, type RuleOptions } from './rules.ts'
import { issuingAlgorithms, type IssuingAlgorithm } from './signing-key.ts'

export interface SigningKeyOptions {
  /**
   * The secret that encrypts the private signing keys and the secrets of authenticator apps: 32
   * random characters or more. Default on SQLite: the content of the file `keystile.key` beside the
   * database file; the first start creates this file. On PostgreSQL there is no default.
   */
  readonly key?: string | undefined
  /**
   * The previous value of `key`. Keep it while the database still has values that were encrypted
   * with it. `keystile doctor` says when `previousKey` is no longer needed.
   */
  readonly previousKey?: string | undefined
  /**
   * The algorithm that signs tokens. Default: ES256. After a change, the current key signs for one
   * more hour, while the next key is published.
   */
  readonly signingAlgorithm?: IssuingAlgorithm
  /**
   * A private JWK, or a JWK Set whose first key is private. This key signs tokens, instead of the
   * keys that Keystile makes. The other keys of the set are only published, so they may be public.
   */
  readonly signingKey?: Jwk | JwkSet
}

const key: Setting<'key', string> = {
  name: 'key',
  takenBy: 'both',
  schema: z.string({ error: 'must be a string' }),
  defaultText: 'the file keystile.key beside SQLite; PostgreSQL has no default',
  help:
    'the secret that encrypts the signing keys and authenticator apps: ' +
    '32 random characters or more',
  environment: ['KEYSTILE_KEY'],
  flag: false, // every user of the machine can read the arguments of a process
  isSecret: true,
}

const previousKey: Setting<'previousKey', string> = {
  name: 'previousKey',
  takenBy: 'both',
  schema: z.string({ error: 'must be a string' }),
  defaultText: 'none',
  help: 'the earlier value of the key, to read what was encrypted with that value',
  environment: ['KEYSTILE_PREVIOUS_KEY'],
  flag: false,
  isSecret: true,
}

const signingKey: Setting<'signingKey', Jwk | JwkSet> = {
  name: 'signingKey',
  takenBy: 'both',
  schema: z.custom<Jwk | JwkSet>((value) => typeof value === 'object' && value !== null, {
    error: 'must be a private JWK, or a JWK Set whose first key is private',
  }),
  defaultText: 'keys that Keystile makes itself',
  help:
    'a private JWK that signs tokens, or a JWK Set whose first key signs; ' +
    'the variable and the flag take the path of its file',
  environment: ['KEYSTILE_SIGNING_KEY_FILE'],
  flag: 'signing-key-file',
  isSecret: true,
  isSecretFile: true,
  parse: readJwk,
}

const signingAlgorithm: DefaultedSetting<'signingAlgorithm', IssuingAlgorithm> = {
  name: 'signingAlgorithm',
  takenBy: 'both',
  schema: z.enum(issuingAlgorithms, { error: `must be one of ${issuingAlgorithms.join(', ')}` }),
  default: 'ES256',
  help: `the algorithm that signs tokens: ${issuingAlgorithms.join(', ')}`,
  environment: ['KEYSTILE_SIGNING_ALGORITHM'],
}

/** The keys that sign tokens, and the secret that encrypts them in the database. */
export const feature: Feature<
  SigningKeyOptions,
  SigningKeyEvent,
  RuleOptions & IssuerRuleOptions,
  Options
> = {
  name: 'signing-keys',
  settings: listSettings<SigningKeyOptions>({
    key,
    previousKey,
    signingKey,
    signingAlgorithm,
  }),
  rules: [...rules, ...issuerRules],
  auditEvents,
  metrics: [signingKeyAge, signingKeyRemaining],
  cliCommands,
}

/**
 * Reads a JWK from a file. Does NOT check that the JWK is a usable key: the safety rules do. No
 * error message contains the content of the file.
 */
function readJwk(path: string): Jwk | JwkSet {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    // The message of Node has the path, which may be the secret itself.
    const shown = showSecretPath(path, error)
    const reason = shown === path ? (error as Error).message : `${shown} does not exist`
    throw new TypeError(`must name a file with a private JWK: ${reason}`)
  }
  try {
    return JSON.parse(content) as Jwk | JwkSet
  } catch {
    throw new TypeError(`must name a file with a private JWK; ${path} is not JSON`)
  }
}
