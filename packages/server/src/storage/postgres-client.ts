// The parts of the package pg that Keystile uses.
import type { ClientConfig } from 'pg'
import { MissingPgError } from './postgres-advice.ts'
import type { CancellableClient } from './postgres-cancel.ts'
import type { Notice } from './postgres-commit.ts'
import type { SignalClient } from './postgres-signals.ts'

/** The part of pg's `Pool` that Keystile uses. An app may pass its own pool. */
export interface Pool {
  connect(): Promise<PoolClient>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'connect', listener: (client: PoolClient) => void): unknown
  readonly options?: { readonly max?: number | undefined }
}

export interface Query {
  readonly text: string
  readonly values: readonly unknown[]
  readonly types: TypeParsers
  /**
   * How long the client waits for the reply, in milliseconds. Default and 0: the client waits
   * forever.
   */
  readonly query_timeout?: number
}

/** The part of pg's pooled clients that Keystile uses. */
export interface PoolClient extends CancellableClient {
  query(query: Query): Promise<unknown>
  release(error?: Error | boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'notice', listener: (notice: Notice) => void): unknown
}

export interface TypeParsers {
  getTypeParser(oid: number, format?: string): (text: string) => unknown
}

/**
 * The timeout of a query. Without it, a guard would wait forever for a reply on a dead connection.
 */
export const queryMilliseconds = 5_000

/**
 * The number of connections for requests in a pool that Keystile creates. With more connections,
 * more commits share one sync of the disk. If a sync takes 5 ms, 10 connections make 940 commits a
 * second and 20 make 1,850 (pgbench with an update and an insert). PostgreSQL allows 100
 * connections by default, so four processes have room.
 */
export const requestConnections = 20

export async function createPool(url: string): Promise<Pool> {
  const { Pool } = await importPg()
  return new Pool({ ...connectionOptions(url), max: requestConnections + 1 })
}

/** Creates a client for one connection outside of the pool. */
export async function createClient(url: string): Promise<SignalClient> {
  const { Client } = await importPg()
  return new Client({ ...connectionOptions(url), query_timeout: queryMilliseconds })
}

function connectionOptions(url: string): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    application_name: 'keystile',
  }
}

/** @throws {MissingPgError} */
async function importPg(): Promise<(typeof import('pg'))['default']> {
  try {
    return (await import('pg')).default
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new MissingPgError(error)
  }
}
