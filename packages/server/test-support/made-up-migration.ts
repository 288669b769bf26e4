import { migrations, type Migration } from '../src/storage/migrate.ts'

/** Adds a migration to this release while `work` runs, as a newer release would have it. */
export async function withMigration<T>(
  name: string,
  migration: Migration,
  work: () => Promise<T>,
): Promise<T> {
  const all = migrations as Record<string, Migration>
  all[name] = migration
  try {
    return await work()
  } finally {
    delete all[name]
  }
}
