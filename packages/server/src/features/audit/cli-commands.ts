import type { Call, CliCommand } from '../../feature/cli-command.ts'

const defaultLimit = 100

export const cliCommands: readonly CliCommand<Call<unknown>>[] = [
  {
    words: ['audit'],
    flags: { follow: {}, json: {}, since: { value: 'T' }, subject: { value: 'S' }, limit: { value: 'N' } },
    takesSettings: 'withoutKey',
    summary: `who did what: the last ${defaultLimit} lines, or all since 2026-11-25T12:00Z or 90m, 12h, 7d ago`,
    async load() {
      const { audit } = await import('./cli.ts')
      return (call) => audit(call, defaultLimit)
    },
  },
]
