import type { Feature } from '../../../feature/feature.ts'
import { auditEvents, type BackupEvent } from './audit-events.ts'
import type { Options } from './cli.ts'

/** Backups of SQLite files, and what has to be done after a restore of any database. */
export const feature: Feature<object, BackupEvent, unknown, Options> = {
  name: 'backup',
  auditEvents,
  cliCommands: [
    {
      words: ['backup'],
      operand: 'FILE',
      flags: { overwrite: {}, json: {} },
      takesSettings: 'withoutKey',
      summary:
        'copy the SQLite database into a new file while the server runs, and check the copy; ' +
        '--overwrite replaces an earlier backup',
      load: async () => (await import('./cli.ts')).backup,
    },
    {
      words: ['restore'],
      operand: 'FILE',
      flags: { check: {}, 'keep-sessions': {}, json: {} },
      takesSettings: true,
      summary:
        'replace the SQLite database by a backup while no server runs; ends all sessions and ' +
        'revokes all tokens unless there is --keep-sessions; --check only says whether the ' +
        'backup is whole and fits the settings',
      load: async () => (await import('./cli.ts')).restore,
    },
    {
      words: ['finish-restore'],
      flags: { 'keep-sessions': {}, json: {} },
      takesSettings: true,
      summary:
        'make a database safe after another program, such as pg_restore, has restored it: ends ' +
        'all sessions and revokes all tokens unless there is --keep-sessions; run it before you ' +
        'start a server',
      load: async () => (await import('./cli.ts')).finishRestored,
    },
  ],
}
