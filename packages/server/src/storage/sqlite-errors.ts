// The errors of SQLite, in words for an operator.
import { DatabaseUnavailableError } from './database.ts'

interface SqliteError {
  /** An extended result code of SQLite. Its low byte is the primary result code. */
  readonly errcode: number
  readonly message: string
}

/** The primary result codes of SQLite: https://sqlite.org/rescode.html */
const codes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
}

interface Meaning {
  readonly reason: string
  readonly fix: string
  /** Whether a retry of a statement on an open file may succeed (`unlessUnavailable`). */
  readonly isUnavailable: boolean
}

// The time is the `timeout` in sqlite-connection.ts.
const locked = unavailable(
  'another process has locked the SQLite file for more than 5 s',
  'end the transaction of the other process',
)

const meanings: ReadonlyMap<number, Meaning> = new Map([
  [codes.busy, locked],
  [codes.locked, locked],
  [
    codes.readOnly,
    unavailable(
      'the SQLite file or its folder cannot be written',
      'let the user of the process write the file and its folder',
    ),
  ],
  [
    codes.ioError,
    unavailable(
      'the disk with the SQLite file fails',
      'look for errors of the disk in the log of the operating system',
    ),
  ],
  [codes.corrupt, damaged('the SQLite file is damaged')],
  [
    codes.full,
    unavailable(
      'the disk with the SQLite file is full',
      'free some space. Keystile then continues without a restart',
    ),
  ],
  [
    codes.cannotOpen,
    unavailable(
      'the SQLite file cannot be opened',
      'let the user of the process read and write the file and its folder',
    ),
  ],
  [codes.notADatabase, damaged('the file is not a SQLite database')],
])

function unavailable(reason: string, fix: string): Meaning {
  return { reason, fix, isUnavailable: true }
}

function damaged(reason: string): Meaning {
  return { reason, fix: 'name another file, or restore a backup', isUnavailable: false }
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && typeof Reflect.get(error, 'errcode') === 'number'
}

/** Whether an error of SQLite says that the file is damaged or is not a database. */
export function isDamage(error: unknown): boolean {
  return hasCode(error, codes.corrupt) || hasCode(error, codes.notADatabase)
}

/** Whether an error of SQLite says that another connection has locked the file. */
export function isBusy(error: unknown): boolean {
  return hasCode(error, codes.busy) || hasCode(error, codes.locked)
}

function hasCode(error: unknown, code: number): boolean {
  return isSqliteError(error) && primaryCodeOf(error) === code
}

function primaryCodeOf({ errcode }: SqliteError): number {
  return errcode & 0xff
}

/** Returns what an error means, with SQLite's own message and code in the reason. */
function meaningOf(error: unknown): Meaning | undefined {
  if (!isSqliteError(error)) return undefined
  const { errcode, message } = error
  const meaning = meanings.get(primaryCodeOf(error))
  const details = `(SQLite: ${message}, code ${errcode})`
  return meaning && { ...meaning, reason: `${meaning.reason} ${details}` }
}

interface Explanation {
  readonly reason: string
  readonly fix: string | undefined
}

const sentenceOf = ({ reason, fix }: Explanation): string =>
  fix === undefined ? reason : `${reason}. Fix: ${fix}`

/** Runs `work`. @throws {DatabaseUnavailableError} when the file cannot be used now */
export function unlessUnavailable<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const meaning = meaningOf(error)
    if (!meaning?.isUnavailable) throw error
    throw new DatabaseUnavailableError(sentenceOf(meaning), { cause: error })
  }
}

/**
 * Thrown when a file cannot be opened, read or migrated. An operator must then look at the file.
 * So this is a `DatabaseUnavailableError` even if a retry cannot succeed.
 */
export class SqliteFileError extends DatabaseUnavailableError implements Explanation {
  readonly reason: string
  readonly fix: string | undefined

  /** Finds the reason in the error of SQLite that caused `error`, or in `error` itself. */
  constructor(error: unknown) {
    const explanation = explainOpening(error)
    super(sentenceOf(explanation), { cause: error })
    this.reason = explanation.reason
    this.fix = explanation.fix
  }
}

function explainOpening(error: unknown): Explanation {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const meaning = meaningOf(cause)
    if (meaning) return meaning
  }
  return { reason: error instanceof Error ? error.message : String(error), fix: undefined }
}
