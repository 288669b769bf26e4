import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Options } from './cli.ts'

const names = { role: { value: 'R', isList: true }, scope: { value: 'S', isList: true } }
const passwordFile = { 'password-file': { value: 'FILE' } }
const ofOneUser = { operand: 'NAME', takesSettings: 'withoutKey' } as const

/**
 * The `keystile user` commands. They use the database directly, so no server needs to run. `cli.ts`
 * is loaded only to run one.
 */
export const cliCommands: readonly CliCommand<Call<Options>>[] = [
  {
    ...ofOneUser,
    words: ['user', 'create'],
    flags: { email: { value: 'E' }, ...names, profile: { value: 'FILE' }, ...passwordFile },
    summary:
      'create an account; asks for the password unless there is a --password-file; ' +
      'the profile is a JSON file',
    load: async () => (await import('./cli.ts')).create,
  },
  {
    words: ['user', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'list accounts: name, id, e-mail, state, creation time, roles and scopes',
    load: async () => (await import('./cli.ts')).list,
  },
  {
    ...ofOneUser,
    words: ['user', 'grant'],
    flags: { ...names, 'remove-role': names.role, 'remove-scope': names.scope, now: {} },
    summary:
      'add and remove roles and scopes; the user gets added scopes at the next login; ' +
      '--now also ends all sessions of the user',
    load: async () => (await import('./cli.ts')).grant,
  },
  {
    ...ofOneUser,
    words: ['user', 'disable'],
    summary: 'stop a user from logging in, and revoke all tokens of the user',
    load: async () => (await import('./cli.ts')).disable,
  },
  {
    ...ofOneUser,
    words: ['user', 'enable'],
    summary: 'let a disabled user log in again',
    load: async () => (await import('./cli.ts')).enable,
  },
  {
    ...ofOneUser,
    words: ['user', 'set-password'],
    flags: passwordFile,
    summary: 'set a new password and end all sessions of the user',
    load: async () => (await import('./cli.ts')).setPassword,
  },
  {
    ...ofOneUser,
    words: ['user', 'delete'],
    flags: { yes: {} },
    summary:
      'delete a user for good; the name cannot be registered again; on a terminal, asks first ' +
      'unless there is --yes',
    load: async () => (await import('./cli.ts')).remove,
  },
]
