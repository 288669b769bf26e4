import type { Call, CliCommand } from '../../feature/cli-command.ts'
import type { Options } from './cli.ts'
import type { ClientGrant } from './clients.ts'

/**
 * These work on the database directly, beside a running server or without one.
 *
 * @param grants the grants that a client may be registered for
 */
export function cliCommands(grants: readonly ClientGrant[]): readonly CliCommand<Call<Options>>[] {
  const grantTypes = grants.map(({ grantType }) => grantType)
  return [
    {
      words: ['client', 'create'],
      operand: 'NAME',
      flags: {
        grants: { value: 'G,…' },
        scopes: { value: 'S,…' },
        may: { value: 'introspect' },
        public: {},
        json: {},
      },
      takesSettings: 'withoutKey',
      summary: `register a client and print its secret, once; grants are ${grantTypes.join(', ')}`,
      async load() {
        const { create } = await import('./cli.ts')
        return (call) => create(call, grants)
      },
    },
    {
      words: ['client', 'list'],
      flags: { json: {} },
      takesSettings: 'withoutKey',
      summary:
        'all clients, a line each: name, kind, state, since, grants, scopes, what else it may',
      load: async () => (await import('./cli.ts')).list,
    },
    {
      words: ['client', 'rotate-secret'],
      operand: 'NAME',
      flags: { json: {} },
      takesSettings: 'withoutKey',
      summary: 'give a client another secret and print it; the old one is refused at once',
      load: async () => (await import('./cli.ts')).rotateSecret,
    },
    {
      words: ['client', 'disable'],
      operand: 'NAME',
      takesSettings: 'withoutKey',
      summary: 'refuse a client and all its tokens, for good',
      load: async () => (await import('./cli.ts')).disable,
    },
  ]
}
