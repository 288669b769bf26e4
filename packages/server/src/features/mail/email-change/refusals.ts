// The refusals of the confirmation of a new address, and of the link that undoes the change.
import { ProblemError } from 'keystile/internal'
import { isTakenAtTheSameTime } from '../../../storage/portable-sql.ts'

/** The error for each confirmation and each undo link that does not work. It does not say why. */
export function refusedChange(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The link, the code or the password is wrong, or the link was used before or has expired',
  )
}

/**
 * Throws a refusal if another transaction has set the same address at the same time. Rethrows every
 * other error.
 */
export function asRefused(error: unknown): never {
  throw isTakenAtTheSameTime(error) ? refusedChange() : error
}

/** The error for an owner whose account needs a second factor that the request does not prove. */
export function factorMissing(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The account needs a second factor: send an access token of a login with it',
    { reason: 'factor_missing' },
  )
}
