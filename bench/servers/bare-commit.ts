// The least work that a refresh and an introspection need. The handler reads a form and answers
// JSON of the same size as Keystile's. On one path it first commits a transaction with an update
// and an insert. It checks no token, client or user, and signs nothing.
import { createServer, type IncomingMessage } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { hostname, variable } from './environment.ts'

/** How many rows exist to be updated. */
const rows = 10_000
const [create, update, insert] = [
  'create table link (id text primary key, used_at bigint, successor text)',
  'update link set used_at = $1, successor = $2 where id = $3',
  'insert into link (id, used_at, successor) values ($1, null, null)',
] as const

let made = 0
/** Returns an id as long as Keystile's. */
const newId = (): string => String(made++).padStart(22, '0')
const oldId = (): string => String(made % rows).padStart(22, '0')

const database = variable('DATABASE')
const commit: () => void | Promise<void> = database.startsWith('postgres:')
  ? await openPostgres(database)
  : openSqlite(database)
const tokenBytes = Number(variable('TOKEN_BYTES'))
const introspectionBytes = Number(variable('INTROSPECTION_BYTES'))

createServer((request, response) => {
  void (async () => {
    const form = new URLSearchParams(await text(request))
    const commits = isCommit(request)
    if (commits) await commit()
    const said = form.has(commits ? 'refresh_token' : 'token')
    const body = jsonOf(commits ? tokenBytes : introspectionBytes)
    response.writeHead(said ? 200 : 400, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  })()
}).listen(Number(variable('PORT')), hostname)

function isCommit({ url }: IncomingMessage): boolean {
  return url === '/token'
}

function jsonOf(bytes: number): string {
  const around = JSON.stringify({ text: '' }).length
  return JSON.stringify({ text: 'x'.repeat(bytes - around) })
}

/** Commits in the event loop, because this server has no other work to do at the same time. */
function openSqlite(file: string): () => void {
  const sqlite = new DatabaseSync(file)
  sqlite.exec('pragma journal_mode = wal; pragma synchronous = full')
  sqlite.exec(create)
  const [updating, inserting] = [update, insert].map((statement) =>
    sqlite.prepare(statement.replaceAll(/\$\d/g, '?')),
  )
  sqlite.exec('begin')
  for (let row = 0; row < rows; row++) inserting!.run(newId())
  sqlite.exec('commit')
  return () => {
    const successor = newId()
    sqlite.exec('begin immediate')
    updating!.run(Date.now(), successor, oldId())
    inserting!.run(successor)
    sqlite.exec('commit')
  }
}

/** Opens as many connections as Keystile does. */
async function openPostgres(url: string): Promise<() => Promise<void>> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(create)
  await pool.query(
    `insert into link (id) select lpad(n::text, 22, '0') from generate_series(0, ${rows - 1}) n`,
  )
  made = rows
  return async () => {
    const successor = newId()
    const client = await pool.connect()
    await client.query('begin')
    await client.query(update, [Date.now(), successor, oldId()])
    await client.query(insert, [successor])
    await client.query('commit')
    client.release()
  }
}
