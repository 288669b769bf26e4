import type { Call, CliCommand } from '../../../feature/cli-command.ts'
import type { Options } from './cli.ts'
import type { ClientGrant } from './clients.ts'
import { permissions } from './feature.ts'

/**
 * Returns the commands that manage clients. They use the database directly, so no server needs to
 * run.
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
        may: { value: 'P,…' },
        public: {},
        'first-party': {},
        json: {},
      },
      takesSettings: 'withoutKey',
      summary:
        'register a client and print its secret once; ' +
        `grants: ${grantTypes.join(', ')}; may: ${permissions.join(', ')}`,
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
        'list all clients: name, kind, state, creation time, grants, scopes, permissions, ' +
        'and whether first-party',
      load: async () => (await import('./cli.ts')).list,
    },
    {
      words: ['client', 'rotate-secret'],
      operand: 'NAME',
      flags: { json: {} },
      takesSettings: 'withoutKey',
      summary:
        'replace the secret of a client and print the new secret; ' +
        'the old secret stops working at once',
      load: async () => (await import('./cli.ts')).rotateSecret,
    },
    {
      words: ['client', 'disable'],
      operand: 'NAME',
      takesSettings: 'withoutKey',
      summary: 'disable a client permanently and revoke all its tokens',
      load: async () => (await import('./cli.ts')).disable,
    },
  ]
}
