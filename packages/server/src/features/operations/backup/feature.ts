// Backups and restores (decisions/0033-backups-and-restores.md).
//
// - A backup (`backup.ts`) copies the SQLite file into a draft beside the backup
//   (storage/sqlite-copy.ts). `recordBackupTime` (`store.ts`) writes the time into the draft.
//   `findDamage` reads the whole draft, and `moveIntoPlace` gives it its name.
// - A restore (`restore.ts`) first examines the backup (`examination.ts`): its structure,
//   migrations and issuer, and whether the configured key decrypts its signing keys and
//   authenticator apps. With `--check`, this is all.
// - It copies the backup into a draft beside the database, and opens the draft like a database,
//   which runs the missing migrations (`make-safe.ts`). The command `finishRestore` (`store.ts`)
//   makes it safe to use, with `restored` of each feature that stores data of users.
// - `lockSqliteFile` makes sure that no process has the old database open. Then the old file gets a
//   second name, and the draft replaces it under the first one.
// - `finish-restore.ts` makes a database safe that another program has restored, such as
//   PostgreSQL.
import type { Feature } from '../../../feature/feature.ts'
import { auditEvents, type BackupEvent } from './audit-events.ts'
import type { Options } from './options.ts'

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
      load: async () => (await import('./backup.ts')).backup,
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
      load: async () => (await import('./restore.ts')).restore,
    },
    {
      words: ['finish-restore'],
      flags: { 'keep-sessions': {}, json: {} },
      takesSettings: true,
      summary:
        'make a database safe after another program, such as pg_restore, has restored it: ends ' +
        'all sessions and revokes all tokens unless there is --keep-sessions; run it before you ' +
        'start a server',
      load: async () => (await import('./finish-restore.ts')).finishRestore,
    },
  ],
}
