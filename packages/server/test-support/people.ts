// The users of an app that stores its users itself. Keystile reads the app's table only through the
// functions of the directory.
import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { UserDirectory } from '@keystile/server'
import { hashSync } from '@node-rs/argon2'
import pg from 'pg'

export interface Person {
  readonly id: string
  readonly username: string
  readonly email: string
  readonly hash: string | null
  readonly banned: number
  /** The scopes, separated by spaces. */
  readonly scopes: string
}

export interface People {
  readonly directory: UserDirectory<Person>
  /** On PostgreSQL, the pool of the app, which Keystile uses too. On SQLite, undefined. */
  readonly pool: pg.Pool | undefined
  add(person: Partial<Person> & { readonly password?: string }): Promise<string>
  /** Queries the table; `$1` stands for the first value. */
  sql(text: string, ...values: readonly (string | number | null)[]): Promise<readonly Person[]>
  close(): Promise<void>
}

/**
 * Opens the app's table of users, and creates it if needed. It is in a separate SQLite file, or in
 * Keystile's PostgreSQL database but not in Keystile's schema.
 */
export async function openPeople(kind: 'SQLite' | 'PostgreSQL', place: string): Promise<People> {
  const sqlite = kind === 'SQLite' ? new DatabaseSync(place, { timeout: 60_000 }) : undefined
  const pool = sqlite ? undefined : new pg.Pool({ connectionString: place, max: 5 })
  const sql: People['sql'] = async (text, ...values) => {
    if (pool) return (await pool.query<Person>(text, [...values])).rows
    const rows: readonly unknown[] = sqlite!.prepare(text.replaceAll('$', '?')).all(...values)
    return rows as readonly Person[]
  }
  const one = async (text: string, value: string): Promise<Person | undefined> =>
    (await sql(text, value))[0]
  await sql(
    'create table if not exists people (id text primary key, username text not null unique, email text not null unique, hash text, banned integer not null, scopes text not null)',
  )
  return {
    pool,
    sql,
    directory: {
      findByLogin: (login) =>
        one('select * from people where username = lower($1) or email = lower($1)', login),
      findBySubject: (subject) => one('select * from people where id = $1', subject),
      subject: ({ id }) => id,
      active: ({ banned }) => banned === 0,
      scopes: ({ scopes }) => scopes.split(' ').filter((scope) => scope !== ''),
      passwordHash: ({ hash }) => hash,
      savePasswordHash: ({ id, hash }, renewed) =>
        sql('update people set hash = $1 where id = $2 and hash = $3', renewed, id, hash),
      email: ({ email }) => email,
      async setPassword({ id }, hash, { replaces }) {
        const update = 'update people set hash = $1 where id = $2 and hash = $3 returning id'
        return (await sql(update, hash, id, replaces)).length === 1
      },
    },
    async add({
      id = randomUUID(),
      username = 'ada',
      email = `${username}@example.com`,
      password = '',
      ...person
    }) {
      const {
        hash = hashSync(password, { memoryCost: 8, timeCost: 1, parallelism: 1 }),
        banned = 0,
      } = person
      const values = [id, username, email, hash, banned, person.scopes ?? '']
      await sql('insert into people values ($1, $2, $3, $4, $5, $6)', ...values)
      return id
    },
    async close() {
      sqlite?.close()
      await pool?.end()
    },
  }
}
