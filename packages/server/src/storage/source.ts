import { existsSync } from 'node:fs'
import type { Pool } from './postgres.ts'

/**
 * Where a database is: a file, `:memory:`, a `postgres:` URL, or an application's own pool of pg.
 */
export type DatabaseSource = string | Pool

export const inMemory = ':memory:'

export function isPostgresUrl(source: string): boolean {
  return /^postgres(ql)?:\/\//.test(source)
}

/**
 * Whether a source is the URL of a database that Keystile cannot use: it would become a file of
 * that name.
 */
export function isForeignUrl(source: string): boolean {
  return /^\w[\w+.-]+:/.test(source) && !isPostgresUrl(source)
}

/** Whether a server keeps the data, so that nothing lies beside it on this machine. */
export function isOnServer(source: DatabaseSource | undefined): boolean {
  return typeof source === 'string' ? isPostgresUrl(source) : source !== undefined
}

/** A database server that is reached over a network. */
export interface DatabaseServer {
  readonly host: string
  /** Whether the connection is TLS, with the certificate of the server verified. */
  readonly isTlsVerified: boolean
}

/**
 * The server that a URL names; `undefined` for a socket, a file, a pool, or a URL that cannot be
 * read.
 */
export function findDatabaseServer(source: DatabaseSource | undefined): DatabaseServer | undefined {
  if (typeof source !== 'string' || !isPostgresUrl(source) || !URL.canParse(source))
    return undefined
  const { hostname, searchParams } = new URL(source)
  const host = searchParams.getAll('host').at(-1) || decodeURIComponent(hostname)
  if (host === '' || host.startsWith('/')) return undefined
  return { host, isTlsVerified: searchParams.getAll('sslmode').at(-1) === 'verify-full' }
}

/**
 * The file that a source names; `undefined` for a source that keeps its data elsewhere, or nowhere.
 */
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
