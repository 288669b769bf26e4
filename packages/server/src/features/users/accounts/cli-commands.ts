import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Options } from './cli.ts'

type Flags = NonNullable<CliCommand<never>['flags']>

const names = { role: { value: 'R', isList: true }, scope: { value: 'S', isList: true } }
const passwordFile = { 'password-file': { value: 'FILE' } }

/** Describes a `keystile user` command about one account. `run` is its function in `cli.ts`. */
function onUser(
  word: string,
  run: Exclude<keyof typeof import('./cli.ts'), 'list'>,
  summary: string,
  flags: Flags = {},
): CliCommand<Call<Options>> {
  return {
    words: ['user', word],
    operand: 'NAME',
    flags,
    takesSettings: 'withoutKey',
    summary,
    load: async () => (await import('./cli.ts'))[run],
  }
}

/** The `keystile user` commands. They use the database directly, so no server needs to run. */
export const cliCommands: readonly CliCommand<Call<Options>>[] = [
  onUser(
    'create',
    'create',
    'create an account; asks for the password unless there is a --password-file; ' +
      'the profile is a JSON file',
    { email: { value: 'E' }, ...names, profile: { value: 'FILE' }, ...passwordFile },
  ),
  {
    words: ['user', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'list accounts: name, id, e-mail, state, creation time, roles and scopes',
    load: async () => (await import('./cli.ts')).list,
  },
  onUser(
    'grant',
    'grant',
    'add and remove roles and scopes; the user gets added scopes at the next login; ' +
      '--now also ends all sessions of the user',
    { ...names, 'remove-role': names.role, 'remove-scope': names.scope, now: {} },
  ),
  onUser('disable', 'disable', 'stop a user from logging in, and revoke all tokens of the user'),
  onUser('enable', 'enable', 'let a disabled user log in again'),
  onUser(
    'set-password',
    'setPassword',
    'set a new password and end all sessions of the user',
    passwordFile,
  ),
  onUser(
    'delete',
    'remove',
    'delete a user for good; the name cannot be registered again; on a terminal, asks first ' +
      'unless there is --yes',
    { yes: {} },
  ),
]
