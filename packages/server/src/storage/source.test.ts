import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findDatabaseServer, isBrokenPostgresUrl, isForeignUrl } from './database-url.ts'
import {
  describeSource,
  findDatabaseFile,
  isAbsent,
  isOnServer,
  isPostgresUrl,
  type DatabaseSource,
} from './source.ts'

const pool: DatabaseSource = {
  connect: () => Promise.reject(new Error('unused')),
  end: async () => {},
  on() {},
}

describe('the source of a database', () => {
  it('isPostgresUrl is true for the schemes postgres and postgresql only', () => {
    for (const source of ['postgres://db/x', 'postgresql://db/x', 'postgres:///x'])
      assert.equal(isPostgresUrl(source), true, source)
    for (const source of ['xpostgres://db/x', 'postgresq://db/x', 'postgres:/x', 'data/x.db'])
      assert.equal(isPostgresUrl(source), false, source)
  })

  it('isForeignUrl is true for URLs of non-PostgreSQL databases, and false for files', () => {
    for (const source of ['mysql://db/x', 'mongodb+srv://db/x', 'user:x@db', 'ab:'])
      assert.equal(isForeignUrl(source), true, source)
    for (const source of [
      ' postgres://u:S3CRET@db/x',
      'postgres://db/x'.toUpperCase(),
      '"postgres://u:S3CRET@db/x"',
      'data/x.db\n',
      'postgres//u@db/x',
      'pg//u:S3CRET@db/x',
      'host=db user=u password=S3CRET',
      'dbname = x host = db',
    ])
      assert.equal(isForeignUrl(source), true, source)
    for (const source of ['data//x@y.db', 'my data/user x.db', 'data/host=a.db'])
      assert.equal(isForeignUrl(source), false, source)
    for (const source of ['postgres://db/x', 'data/x.db', ':memory:', 'C:/x.db', './a:b', '+ab:'])
      assert.equal(isForeignUrl(source), false, source)
  })

  it('isBrokenPostgresUrl is true for a password that is not percent-encoded', () => {
    for (const end of ['#', '?', '/'])
      for (const password of [`pa${end}ss`, `12${end}ss`, end])
        assert.equal(isBrokenPostgresUrl(`postgres://u:${password}@db.example:5432/x`), true)
    for (const source of [
      'postgres://u:p%23%3F%2F@db.example/x?sslmode=verify-full',
      'postgres://u:p ss@db.example/x',
      'postgres://u:p@ss@db.example/x',
      'postgres://u:p@/x?host=/run/postgresql',
      'postgres://%2Frun%2Fpostgresql/x?user=a@b',
      'postgres:///x',
      'data/a@b#c.db',
    ])
      assert.equal(isBrokenPostgresUrl(source), false, source)
  })

  it('isBrokenPostgresUrl is true if a percent-encoded part cannot be decoded', () => {
    for (const source of [
      'postgres://h%zz/x',
      'postgres://h%ff/x',
      'postgres://u%ff:p@db.example/x',
      'postgres://u:p%C3%28@db.example/x',
      'postgres://u:p@db.example/x%ff',
    ])
      assert.equal(isBrokenPostgresUrl(source), true, source)
    for (const source of ['postgres://u:50%zz@db.example/x', 'postgres://u%:5%2@db.example/x%'])
      assert.equal(isBrokenPostgresUrl(source), false, source)
  })

  it('isOnServer is true for a URL of PostgreSQL and for a pool', () => {
    assert.deepEqual(['postgres://db/x', pool, 'x.db', ':memory:', undefined].map(isOnServer), [
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('findDatabaseServer returns the host, and whether the URL demands verified TLS', () => {
    for (const [source, host, isTlsVerified] of [
      ['postgres://user:x@db.example:5432/x', 'db.example', false],
      ['postgres://db/x?sslmode=verify-full', 'db', true],
      ['postgres://db/x?sslmode=verify-full&sslmode=require', 'db', false],
      ['postgres://db/x?host=a&host=b&host=c', 'c', false],
      ['postgres://db/x?sslmode=disable&sslmode=require&sslmode=verify-full', 'db', true],
      ['postgres://d%62/x', 'db', false],
    ] as const)
      assert.deepEqual(findDatabaseServer(source), { host, isTlsVerified })
    for (const source of [
      'x.db',
      'mysql://db/x',
      'postgres:///x',
      'postgres:///x?host=/run/postgresql',
      'postgres://%2Frun/x',
      'postgres://[db/x',
      'postgres://h%zz/x',
      pool,
      undefined,
    ])
      assert.equal(findDatabaseServer(source), undefined)
  })

  it('findDatabaseFile returns the path of a SQLite file, and undefined for anything else', () => {
    assert.deepEqual(
      ['data/x.db', ':memory:', 'postgres://db/x', pool, undefined].map(findDatabaseFile),
      ['data/x.db', undefined, undefined, undefined, undefined],
    )
  })

  it('isAbsent is true for a file that does not exist', () => {
    assert.deepEqual(
      ['/none/x.db', import.meta.filename, ':memory:', 'postgres://db/x', pool].map(isAbsent),
      [true, false, false, false, false],
    )
  })

  it('isAbsent is false for a file that cannot be looked for', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-source-'))
    try {
      symlinkSync('loop', join(folder, 'loop'))
      assert.equal(isAbsent(join(folder, 'loop/x.db')), false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('describeSource names the database without the user and the password', () => {
    assert.deepEqual(
      ['x.db', 'postgres://user:secret@db:1/x?y=z', 'postgres://user:secret@[db/x', pool].map(
        describeSource,
      ),
      ['x.db', 'PostgreSQL at db:1/x', 'PostgreSQL', 'the configured pool'],
    )
  })
})
