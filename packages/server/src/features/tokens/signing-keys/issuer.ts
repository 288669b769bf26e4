// The issuer of a database. A database belongs to one issuer, because tokens contain their issuer.

import { ConfigurationError } from '../../../base/configuration-error.ts'
import { show } from '../../../feature/shown-value.ts'
import type { Database } from '../../../storage/database.ts'
import { claimIssuer, readIssuer } from './setting-store.ts'

/**
 * Makes a new database belong to the issuer.
 *
 * @throws {ConfigurationError} if the database belongs to a different issuer
 */
export async function requireIssuer(
  database: Pick<Database, 'write'>,
  issuer: string,
): Promise<void> {
  const stored = await database.write(claimIssuer, issuer)
  if (stored !== issuer) {
    throw new ConfigurationError(
      `this database ${belongsElsewhere(stored, issuer)}. ` +
        `Fix: configure ${stored}, or use another database`,
    )
  }
}

/** Returns the issuer that a database belongs to, or undefined for a new database. */
export function findStoredIssuer({
  reader,
}: Pick<Database, 'reader'>): Promise<string | undefined> {
  return readIssuer(reader)
}

/**
 * Returns the message for a database that belongs to a different issuer. The message begins with
 * "belongs to". The caller puts a subject before it, such as "this database".
 */
export function belongsElsewhere(stored: string, issuer: string): string {
  return (
    `belongs to the issuer ${stored}, but the configured issuer is ${show(issuer)}. ` +
    'Tokens contain their issuer, so a change of the issuer logs all users out'
  )
}
