import type { Call, CliCommand } from '../../feature/cli-command.ts'

const defaultMilliseconds = 100

export const cliCommands: readonly CliCommand<Call<unknown>>[] = [
  {
    words: ['tune'],
    flags: { milliseconds: { value: 'N' }, json: {} },
    takesSettings: false,
    summary: `measure what password hashing may cost here: the strongest that takes ${defaultMilliseconds} ms, or N; print the setting`,
    async load() {
      const { tune } = await import('./cli.ts')
      return (call) => tune(call, defaultMilliseconds)
    },
  },
]
