import type { Kysely } from 'kysely'

interface Tables {
  readonly setting: { readonly name: string; readonly value: string }
  readonly signing_key: {
    readonly id: string
    readonly created_at: number
    readonly published_at: number
    readonly signs_from: number
    readonly signs_until: number | null
  }
}

/**
 * The longest lifetime that the settings allow for an access token. The database does not know the
 * lifetimes of the tokens that were issued before this migration.
 */
const longestSeconds = 86_400

/**
 * Adds three timestamps to each signing key: when it is published, when it starts to sign, and when
 * it stops. The existing key keeps signing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const name of ['published_at', 'signs_from'])
    await db.schema
      .alterTable('signing_key')
      .addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
  await db.schema.alterTable('signing_key').addColumn('signs_until', 'bigint').execute()

  const tables = db as Kysely<Tables>
  const keys = await tables
    .selectFrom('signing_key')
    .select(['id', 'created_at'])
    .orderBy('created_at')
    .execute()
  for (const [index, { id, created_at }] of keys.entries())
    await tables
      .updateTable('signing_key')
      .set({
        published_at: created_at,
        signs_from: created_at,
        signs_until: keys[index + 1]?.created_at ?? null,
      })
      .where('id', '=', id)
      .execute()

  if (keys.length > 0)
    await tables
      .insertInto('setting')
      .values({ name: 'longest_access_token_seconds', value: String(longestSeconds) })
      .execute()
}
