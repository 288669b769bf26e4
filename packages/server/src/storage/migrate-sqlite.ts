import type { Reader } from './database.ts'
import { runMissing } from './run-migrations.ts'
import { readSchemaState } from './schema-state.ts'
import { standingOf } from './standing.ts'

/** Runs the missing migrations of a SQLite file. If one fails, none of them takes effect. */
export async function migrateSqlite(db: Reader): Promise<readonly string[]> {
  // A start that has nothing to do must not wait for another process that writes.
  if (standingOf(await readSchemaState(db)) === 'current') return []
  return db.transaction().execute(runMissing)
}
