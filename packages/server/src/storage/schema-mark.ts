// The schema mark says which releases may run on a database. It is the number of a migration: a
// release without this migration must not run on the database.
//
// So an older server that runs notices that a newer release has contracted the tables: the feed of
// revocations reads the mark with each read (features/tokens/events/follower.ts). If the mark
// excludes this release, `/readyz` answers 503, commands fail (`checkWrites`), and after 4 s guards
// answer 503.
import { readVersion } from '../base/version.ts'
import { inTables, type Reader } from './database.ts'
import { migrations } from './migrations.ts'

export interface SchemaMark {
  /** The number of a migration. A release without this migration must not run on the database. */
  readonly oldest: number
  /** The release that set `oldest`, such as `0.2.0`. */
  readonly release: string
}

/** The table of the schema mark, which has one row. A feature may read it in its own statement. */
export interface MarkTables {
  readonly schema_mark: SchemaMark & { readonly id: number }
}

export async function setMark(
  db: Reader,
  oldest: number,
  release: string = readVersion(),
): Promise<void> {
  await inTables<MarkTables>(db).updateTable('schema_mark').set({ oldest, release }).execute()
}

/**
 * Returns the highest schema mark that the given migrations set, or undefined if none sets a mark.
 */
export function findRaisedMark(names: readonly string[]): number | undefined {
  const marks = names.flatMap((name) => migrations[name]?.oldestSchema ?? [])
  return marks.length > 0 ? Math.max(...marks) : undefined
}
