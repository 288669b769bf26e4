// Fills a SQLite file in a process of its own, so that PostgreSQL can be filled at the same time.
//
//   node --conditions=source bench/fill-sqlite.ts FILE ROWS
import { fillSqlite, type ManyRows } from '../packages/server/test-support/many-rows.ts'

const [, , file, rows] = process.argv
if (file === undefined || rows === undefined) throw new TypeError('FILE and ROWS must be given')
fillSqlite(file, JSON.parse(rows) as ManyRows)
