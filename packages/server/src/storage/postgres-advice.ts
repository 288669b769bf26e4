// Why PostgreSQL cannot be used, and how to fix it, in words for an operator.
import { ConfigurationError } from '../base/configuration-error.ts'
import { DatabaseUnavailableError } from './database.ts'
import {
  codeOf,
  findUnavailable,
  messageOf,
  rootOf,
  unsupportedParameter,
} from './postgres-errors.ts'

/**
 * Returns the driver's message for the operator. The message may name the host and the port. It
 * never contains a password.
 */
export function reasonOf(error: unknown): string {
  const cause = rootOf(error)
  // If a host has several addresses, the error has an empty message and an error for each address.
  const parts = cause instanceof AggregateError ? cause.errors.map(reasonOf) : [messageOf(cause)]
  return parts.join(', ')
}

/** Returns for the operator why a database could not be opened, and a fix if one is known. */
export function reasonAndFixOf(error: unknown): {
  readonly reason: string
  readonly fix: string | undefined
} {
  return error instanceof MissingPgError
    ? { reason: missingPg, fix: installPg }
    : { reason: reasonOf(error), fix: findFix(error) }
}

/**
 * Returns an error for the operator, whose message is `what`, the reason and a fix if one is known.
 * A `ConfigurationError` stays one, unless `pg` is missing.
 */
export function errorWithFix(what: string, error: unknown): Error {
  if (error instanceof ConfigurationError && !(error instanceof MissingPgError))
    return new ConfigurationError(`${what}: ${error.message}`, { cause: error })

  const text = `${what}: ${reasonOf(error)}${fixText(findFix(error))}`
  return new DatabaseUnavailableError(text, { cause: error })
}

/**
 * Returns what an operator must know about an outage: what happened, the driver's reason, and a fix
 * if one is known.
 *
 * @param otherwise the fix if none is known
 */
export function describeOutage(error: DatabaseUnavailableError, otherwise?: string): string {
  const { message } = error
  const reason = reasonOf(error)
  const text = message.includes(reason) ? message : `${message}: ${reason}`
  return text.includes('. Fix: ') ? text : `${text}${fixText(findFix(error) ?? otherwise)}`
}

function fixText(fix: string | undefined): string {
  return fix === undefined ? '' : `. Fix: ${fix}`
}

/** Returns the fix, such as `correct the host in the URL`; undefined if no fix is known. */
export function findFix(error: unknown): string | undefined {
  const root = rootOf(error)
  // pg throws this error without a code, because PostgreSQL asked for a password.
  if (/client password must be a/.test(root.message)) return giveThePassword
  if (unsupportedParameter.test(root.message)) return leaveOutTheParameter
  if (root.message.startsWith('permission denied for database')) return letItCreateSchemas

  const code = codeOf(root)
  const known = fixes.find(([codes]) => typeof code === 'string' && codes.test(code))
  if (known) return known[1]

  const failure = findUnavailable(root)?.failure
  if (failure === 'outage' || failure === 'timeout') return findTheServer
  return failure && lookAtPostgres
}

/** The known fixes. The codes are error codes of PostgreSQL and of Node. */
const fixes: readonly (readonly [codes: RegExp, fix: string])[] = [
  [/^(28P01|28000)$/, 'correct the user and the password in the URL'],
  [/^3D000$/, 'create the database, or correct its name in the URL'],
  [
    /^42501$/,
    'run "keystile migrate" as the role that owns the schema keystile, and give the role of the ' +
      'server the rights that deploy/roles.sql names',
  ],
  [/^53[0-9A-Z]{3}$/, 'free memory or space on its disk, or raise max_connections'],
  [/^25006$/, 'correct the host in the URL: it must name the primary'],
  [/^(57014|55P03|25P0[34]|40001|40P01)$/, 'look into the log of PostgreSQL for what is slow'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'correct the host in the URL'],
  [/^(ECONNREFUSED|ETIMEDOUT)$/, 'start PostgreSQL there, or correct host and port in the URL'],
]

const giveThePassword = 'give the password: in the URL, in PGPASSWORD or in the file PGPASSFILE'

const findTheServer =
  'start PostgreSQL there, correct host and port in the URL, or let a firewall pass the connection'

// The schema does not exist yet. Otherwise this right would change nothing.
const letItCreateSchemas =
  'run "keystile migrate" as the role that owns the database, or let that role run ' +
  '"grant create on database DATABASE to ROLE", with the database and the user of the URL'

const leaveOutTheParameter =
  'remove this parameter from the URL and from PGOPTIONS, ' +
  'or add it to ignore_startup_parameters of PgBouncer'

/** The fix for an outage with an unknown cause. */
export const lookAtPostgres = 'start PostgreSQL there, or look into its log'

const missingPg = 'the package pg must be installed for a database on PostgreSQL'
const installPg = 'npm install pg'

/** Thrown if `pg`, an optional peer dependency, is not installed. */
export class MissingPgError extends ConfigurationError {
  constructor(cause: unknown) {
    super(`${missingPg}. Fix: ${installPg}`, { cause })
  }
}
