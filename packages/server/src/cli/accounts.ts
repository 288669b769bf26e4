import { silentLogger, systemClock } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { HashingCost } from '../features/password/hashing-cost.ts'
import type { CheckedOptions } from '../server/options.ts'
import { openAccounts, type Accounts } from '../server/open-accounts.ts'
import { describeSource, isAbsent } from '../storage/source.ts'

/** @throws {ConfigurationError} for a mistyped path: it would make a new database, in which nobody is found */
export function requireExisting(database: CheckedOptions['database']): typeof database {
  if (isAbsent(database)) throw new ConfigurationError(`there is no database ${describeSource(database)}`)
  return database
}

/** Works on the accounts and clients of a database, beside a running server or without one. */
export async function withAccounts(
  database: CheckedOptions['database'],
  work: (accounts: Accounts) => Promise<void>,
  passwordHashing?: HashingCost,
): Promise<void> {
  const common = { logger: silentLogger, clock: systemClock }
  const accounts = await openAccounts(database, passwordHashing ? { ...common, passwordHashing } : common)
  try {
    await work(accounts)
  } finally {
    await accounts.close()
  }
}
