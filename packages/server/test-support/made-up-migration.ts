import { migrations, type Migration } from '../src/storage/migrations.ts'

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

/** Removes the migrations from a given one on while `work` runs, as an older release would be. */
export async function withMigrationsBefore<T>(name: string, work: () => Promise<T>): Promise<T> {
  const all = migrations as Record<string, Migration>
  const later = Object.entries(all).filter(([other]) => other >= name)
  for (const [other] of later) delete all[other]
  try {
    return await work()
  } finally {
    Object.assign(all, Object.fromEntries(later))
  }
}
