// Fills the database of a bench server with users who have logged in.
import { renameSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { BuiltInScope, Keystile } from '@keystile/server'
import pg from 'pg'
import { inBatches, password } from '../people.ts'

/** Starts the sessions of this many users, and writes their access tokens to a file. */
export async function seedUsers(
  keystile: Keystile<'items:read' | BuiltInScope>,
  place: { readonly database: string; readonly count: number; readonly file: string },
): Promise<void> {
  await keystile.users.create({ username: 'user', password })
  await copyUser(place)
  const tokens = await inBatches(place.count, async (n) => {
    const { accessToken } = await keystile.sessions.create({ subject: subjectOf(n + 1) })
    return accessToken
  })
  writeFileSync(`${place.file}.part`, JSON.stringify(tokens))
  renameSync(`${place.file}.part`, place.file)
}

/** A subject as long as one of Keystile. */
function subjectOf(n: number): string {
  return `user-${n}`.padEnd(22, '-')
}

/** Copies the first user: to hash the password of each would take minutes. */
async function copyUser({
  database,
  count,
}: {
  readonly database: string
  readonly count: number
}): Promise<void> {
  const statement = `
    with recursive numbers(n) as (
      select 1 union all select n + 1 from numbers where n < ${count}
    )
    insert into "user" (id, username, username_key, email, email_key, password_hash, scopes, roles,
      profile, created_at)
    select substr('user-' || n || '----------------------', 1, 22), 'user' || n, 'user' || n,
      'user' || n || '@example.com', 'user' || n || '@example.com', password_hash, scopes, roles,
      profile, created_at
    from "user" join numbers on true where username_key = 'user'`
  if (!database.startsWith('postgres')) {
    const sqlite = new DatabaseSync(database, { timeout: 5_000 })
    sqlite.exec(statement)
    return sqlite.close()
  }
  const client = new pg.Client({
    connectionString: database,
    options: '-c search_path=keystile',
  })
  await client.connect()
  await client.query(statement)
  await client.end()
}
