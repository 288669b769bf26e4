import type { Call, CliCommand } from '../../feature/cli-command.ts'
import type { Options } from './cli.ts'

/** These work on the database directly, beside a running server or without one. */
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
    summary: 'make an account; asks for the password unless it is in a file; the profile is JSON',
    load: async () => (await import('./cli.ts')).create,
  },
  {
    words: ['user', 'list'],
    flags: { json: {} },
    takesSettings: 'withoutKey',
    summary: 'all accounts, a line each: name, e-mail, state, since, roles and scopes',
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
      'change roles and scopes; they hold from the next login, and with --now all sessions end',
    load: async () => (await import('./cli.ts')).grant,
  },
  {
    words: ['user', 'disable'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'refuse a user and all their tokens',
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
    summary: 'give a user another password and end all their sessions',
    load: async () => (await import('./cli.ts')).setPassword,
  },
  {
    words: ['user', 'delete'],
    operand: 'NAME',
    takesSettings: 'withoutKey',
    summary: 'delete a user for good; nobody gets the name again',
    load: async () => (await import('./cli.ts')).remove,
  },
]
