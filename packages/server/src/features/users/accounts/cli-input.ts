// Reads what an operator gives to `keystile user`: flags, files and typed passwords.
import { readFileSync, statSync } from 'node:fs'
import { parseJsonObject, type JsonObject } from 'keystile/internal'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { CallFlags } from '../../../feature/cli-command.ts'
import { isOpenToOthers } from '../../../feature/file-facts.ts'
import type { Terminal } from '../../../feature/terminal.ts'
import {
  createPasswordPolicy,
  type PasswordOwner,
} from '../../credentials/password-policy/policy.ts'
import type { ScopeRules, ScopeSettings } from '../scopes/scopes.ts'
import { checkProfile, type Profile, type ProfileSchema } from './profile.ts'

export interface InputOptions extends ScopeSettings {
  readonly issuer: string
  readonly profile?: ProfileSchema | undefined
  readonly passwordMinLength: number
}

/**
 * Returns the roles or scopes that a flag lists.
 *
 * @throws {ConfigurationError} for a name that is not declared
 */
export function readNames(
  flags: CallFlags,
  flag: 'role' | 'scope',
  rules: ScopeRules,
): readonly string[] {
  const known = flag === 'role' ? rules.roles : rules.declared
  const names = flags.list(flag)
  const unknown = names.find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return names
  throw new ConfigurationError(
    `--${flag} must be a declared ${flag}; it is ${unknown}. ` +
      `The declared ${flag}s are ${Object.keys(known).join(', ')}`,
  )
}

/**
 * Reads a profile from a JSON file and checks it with the schema. If there is no file, checks an
 * empty profile: the schema may add default values or refuse the empty profile.
 */
export async function readProfile(
  file: string | undefined,
  schema: ProfileSchema | undefined,
): Promise<Profile> {
  let members: JsonObject = {}
  try {
    if (file !== undefined) members = parseJsonObject(readFileSync(file))
  } catch (error) {
    throw new ConfigurationError(`--profile cannot be read: ${(error as Error).message}`)
  }

  const { errors, profile } = await checkProfile(members, schema, [])
  if (errors.length === 0) return profile

  const faults = errors.map(({ loc, msg }) => `${loc.slice(1).join('.')} ${msg}`.trim())
  throw new ConfigurationError(
    `the profile must match its schema: ${faults.join('; ')}. Fix: give --profile FILE`,
  )
}

/**
 * Reads a new password from a file and drops the line end that editors add. If there is no file,
 * asks the operator for the password twice. Checks the password against the policy.
 */
export async function readPassword(
  file: string | undefined,
  {
    owner,
    terminal,
    options,
  }: {
    readonly owner: PasswordOwner
    readonly terminal: Terminal
    readonly options: InputOptions
  },
): Promise<string> {
  const password =
    file === undefined ? await terminal.askSecret('Password: ') : readPasswordFile(file, terminal)

  const { issuer, passwordMinLength: minLength } = options
  const fault = createPasswordPolicy({ issuer, minLength }).findFault(password, owner)
  if (fault) throw new ConfigurationError(fault)

  if (file === undefined && (await terminal.askSecret('Password again: ')) !== password)
    throw new ConfigurationError('the two passwords must be the same; try again')
  return password
}

function readPasswordFile(file: string, terminal: Terminal): string {
  try {
    const stats = statSync(file) // on Windows the mode means nothing
    if (process.platform !== 'win32' && stats.isFile() && isOpenToOthers(stats.mode))
      terminal.printError(
        `warning: ${file} should be private; other users of this machine can read or write it. ` +
          `Fix: chmod 600 ${file}`,
      )
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(readFileSync(file))
      .replace(/\r?\n$/, '')
  } catch (error) {
    throw new ConfigurationError(`--password-file cannot be read: ${(error as Error).message}`)
  }
}
