import { existsSync } from 'node:fs'
import type { Pool } from './postgres.ts'

/** Where a database is: a file, `:memory:`, a `postgres:` URL, or an application's own pool of pg. */
export type DatabaseSource = string | Pool

export const inMemory = ':memory:'

export function isPostgresUrl(source: string): boolean {
  return /^postgres(ql)?:\/\//.test(source)
}

/** The file that a source names; `undefined` for a source that keeps its data elsewhere, or nowhere. */
export function findDatabaseFile(source: DatabaseSource | undefined): string | undefined {
  const isFile = typeof source === 'string' && source !== inMemory && !isPostgresUrl(source)
  return isFile ? source : undefined
}

/** Whether opening a source would make a new database. What another server holds is not asked. */
export function isAbsent(source: DatabaseSource): boolean {
  const file = findDatabaseFile(source)
  return file !== undefined && !existsSync(file)
}

/** Where the data is, for a person to read, without what opens it. */
export function describeSource(source: DatabaseSource): string {
  if (typeof source !== 'string') return 'the configured pool'
  if (!isPostgresUrl(source)) return source
  if (!URL.canParse(source)) return 'PostgreSQL'
  const { host, pathname } = new URL(source)
  return `PostgreSQL, ${host}${pathname}`
}
