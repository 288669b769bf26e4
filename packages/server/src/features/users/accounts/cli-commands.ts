import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Options } from './cli.ts'

/** The `keystile user` commands. They use the database directly, so no server needs to run. */
export const cliCommands: readonly CliCommand<Call<Options>>[] = [
  {
    words: ['user', 'create'],
    operand: 'NAME',
    flags: {
      email: { value: 'E' },
      role: { value: 'R', isList: true },
      scope: { value: 'S', isList: true },
      profile: { value: 'FILE' },
      'password-file': { value: 'FILE' },
    },
    takesSettings: 'withoutKey',
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
    words: ['user', 'grant'],
    operand: 'NAME',
    flags: {
      role: { value: 'R', isList: true },
      scope: { value: 'S', isList: true },
      'remove-role': { value: 'R', isList: true },
      'remove-scope': { value: 'S', isList: true },
      now: {},
    },
    takesSettings: 'withoutKey',
    summary:
      'add and remove roles and scopes; the user gets new ones at the next login; ' +
      '--now also ends all sessions of the user',
    load: async () => (await import('./cli.ts')).grant,
  },
  {
    words: ['user', 'disable'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'stop a user from logging in, and revoke all tokens of the user',
    load: async () => (await import('./cli.ts')).disable,
  },
  {
    words: ['user', 'enable'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'let a disabled user log in again',
    load: async () => (await import('./cli.ts')).enable,
  },
  {
    words: ['user', 'set-password'],
    operand: 'NAME',
    flags: { 'password-file': { value: 'FILE' } },
    takesSettings: 'withoutKey',
    summary: 'set a new password and end all sessions of the user',
    load: async () => (await import('./cli.ts')).setPassword,
  },
  {
    words: ['user', 'delete'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'delete a user for good; the name cannot be registered again',
    load: async () => (await import('./cli.ts')).remove,
  },
]
