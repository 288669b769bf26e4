import { signingKeyOf } from '../features/signing-keys/signing-keys.ts'
import { adminRole, builtInScopes, type ScopeRules } from '../features/scopes/scopes.ts'
import type { SigningKey } from 'keystile/jwt'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Rule } from '../feature/rule.ts'
import type { Setting, Values } from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
import { appWording } from '../feature/wording.ts'
import { checkSettings, withDefaults, type SettingFault } from './check.ts'
import { examine, textOf, type RuleOptions } from './examination.ts'
import type { OptionValues } from './keystile-options.ts'

/** The options that have no default. */
export type WithoutDefault = 'profile' | 'users' | 'key' | 'signingKey' | 'trustedProxies'
type Converted = 'scopes' | 'roles' | 'defaultScopes' | 'signingKey'

/** Options that are complete and safe. */
export type CheckedOptions = Omit<OptionValues, WithoutDefault | Converted> & {
  readonly [N in Exclude<WithoutDefault, Converted>]: OptionValues[N] | undefined
} & {
  readonly scopes: ScopeRules
  readonly signingKey: SigningKey | undefined
  /** What safety rules look at, as it was given. */
  readonly situation: Situation<RuleOptions>
}

/** What the stand-alone server knows beside its options. */
export type Surroundings = Pick<Situation<RuleOptions>, 'bind' | 'secretFiles' | 'say'>

/** What features say of the options: their records, and the rules that make them safe. */
export interface KnownOptions {
  readonly settings: readonly Setting[]
  readonly rules: readonly Rule<RuleOptions>[]
}

/**
 * Checks options together and completes them.
 *
 * @throws {ConfigurationError} with all faults, a line each, saying what must be
 */
export function checkOptions(known: KnownOptions, input: Values): CheckedOptions {
  const { faults, options } = readOptions(known, input)
  if (options) return options
  throw new ConfigurationError(cannotStart(faults.map(sentenceOf)))
}

export function cannotStart(faults: readonly string[]): string {
  return ['Keystile cannot start:', ...faults.map((fault) => `  - ${fault}`)].join('\n')
}

export function sentenceOf({ subject, message }: SettingFault): string {
  return `${subject} ${message}`
}

/** The options, complete; or everything that is wrong or unsafe about them. */
export function readOptions(
  { settings, rules }: KnownOptions,
  input: Values,
  surroundings: Surroundings = {},
): { readonly faults: readonly SettingFault[]; readonly options?: CheckedOptions } {
  const { faults: formFaults, situation } = readSituation(settings, input, surroundings)
  const stops = examine(situation, rules).stops.map((finding) => ({
    subject: finding.about,
    message: textOf(finding),
  }))
  const faults = [...formFaults, ...stops]
  return faults.length > 0 ? { faults } : { faults, options: complete(settings, situation) }
}

/** The options that have the right form, and what is wrong with those that have not. */
export function readSituation(
  settings: readonly Setting[],
  input: Values,
  surroundings: Surroundings,
): { readonly faults: readonly SettingFault[]; readonly situation: Situation<RuleOptions> } {
  const known = settings.map(({ name }) => name)
  const unknown = Object.keys(input)
    .filter((name) => !known.includes(name))
    .map((subject) => ({ subject, message: `is not an option; the options are ${known.join(', ')}` }))
  const { values, unread, faults } = checkSettings(settings, input, surroundings.say ?? appWording)
  return { faults: [...unknown, ...faults], situation: { ...surroundings, options: values, unread } }
}

/** Adds what is not given. The types are those of the records, as a test proves. */
function complete(settings: readonly Setting[], situation: Situation<RuleOptions>): CheckedOptions {
  const values = withDefaults(settings, situation.options) as OptionValues & {
    readonly [N in WithoutDefault]?: OptionValues[N]
  }
  const { scopes, roles, defaultScopes, signingKey, ...rest } = values
  const declared = { ...scopes, ...builtInScopes }
  return {
    ...rest,
    audience: rest.audience ?? rest.issuer,
    scopes: {
      declared,
      defaults: defaultScopes,
      roles: { ...roles, [adminRole]: Object.keys(declared) },
    },
    signingKey: signingKey && signingKeyOf(signingKey),
    situation,
  }
}
