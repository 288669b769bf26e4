// The setting `database`: a string or a pool that says where the data is. No other room parses it.
import { statSync } from 'node:fs'
import type { Pool } from './postgres-client.ts'

/** The place of a database: a file, `:memory:`, a `postgres:` URL, or an app's own pool of pg. */
export type DatabaseSource = string | Pool

/** The source that stands for a database in memory, for tests. `close` deletes the database. */
export const inMemory = ':memory:'

export function isPostgresUrl(source: string): boolean {
  return /^postgres(ql)?:\/\//.test(source)
}

/**
 * Whether a database server stores the data. If so, Keystile has no local folder for other files,
 * such as the key file.
 */
export function isOnServer(source: DatabaseSource | undefined): boolean {
  return typeof source === 'string' ? isPostgresUrl(source) : source !== undefined
}

/** Returns the file that a source names, or `undefined` for a server, a pool and `:memory:`. */
export function findDatabaseFile(source: DatabaseSource | undefined): string | undefined {
  const isFile = typeof source === 'string' && source !== inMemory && !isPostgresUrl(source)
  return isFile ? source : undefined
}

/** Whether opening a source would create a new file. Does NOT ask a database server. */
export function isAbsent(source: DatabaseSource): boolean {
  const file = findDatabaseFile(source)
  return file !== undefined && !mayExist(file)
}

/** Whether a file exists. Also true if this process may not find out, so that its use fails. */
export function mayExist(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

/** Describes the place of the data for an operator, without the user and password of a URL. */
export function describeSource(source: DatabaseSource): string {
  if (typeof source !== 'string') return 'the configured pool'
  if (!isPostgresUrl(source)) return source
  if (!URL.canParse(source)) return 'PostgreSQL'

  const { host, pathname } = new URL(source)
  return `PostgreSQL at ${host}${pathname}`
}
