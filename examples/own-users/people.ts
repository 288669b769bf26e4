// What the app already has: a table of people on PostgreSQL, and two ways to find one.
import pg from 'pg'

export interface Person {
  readonly id: string
  readonly email: string
  readonly hash: string
  readonly admin: boolean
  readonly banned: boolean
}

export const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })

await pool.query(`create table if not exists people (
  id uuid primary key default gen_random_uuid(),
  email text not null unique,
  hash text not null,
  admin boolean not null default false,
  banned boolean not null default false
)`)

export const findByEmail = (email: string): Promise<Person | undefined> =>
  findOne('select * from people where email = lower($1)', email)

export const findById = (id: string): Promise<Person | undefined> =>
  findOne('select * from people where id::text = $1', id)

async function findOne(sql: string, value: string): Promise<Person | undefined> {
  return (await pool.query<Person>(sql, [value])).rows[0]
}
