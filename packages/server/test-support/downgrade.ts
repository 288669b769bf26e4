import { migrations } from '../src/storage/migrations.ts'
import { printMigrations } from '../src/storage/print-migrations.ts'

/**
 * Returns the SQL that takes a database back to a release without the migrations from `first` on,
 * such as `0015`: it drops the tables and columns that they add, and forgets that they have run.
 * Does NOT take back changes of indexes. Drop an index first if it has a column that goes.
 */
export async function downgradeBefore(first: string): Promise<readonly string[]> {
  const added = await printMigrations({
    kind: 'sqlite',
    state: {
      missing: Object.keys(migrations).filter((name) => name >= first),
      unknown: [],
      isEmpty: true,
      mark: undefined,
    },
    absent: { schema: false, table: false },
  })
  const tables = Array.from(added.matchAll(/^create table "(\w+)"/gm), ([, table]) => table)
  const columns = [...added.matchAll(/^alter table "(\w+)" add column "(\w+)"/gm)]
  return [
    ...tables.map((table) => `drop table "${table}"`),
    ...columns
      .filter(([, table]) => !tables.includes(table))
      .map(([, table, column]) => `alter table "${table}" drop column "${column}"`),
    `delete from migration where name >= '${first}'`,
  ]
}
