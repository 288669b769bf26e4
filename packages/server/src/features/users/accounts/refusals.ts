// The refusals of the account routes and of `keystile.users`.
import { ProblemError } from 'keystile/internal'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import { mailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { ChangeOutcome } from './management-store.ts'

/**
 * Returns the error for a name or address that another user already has. The error reveals that
 * such a user exists.
 *
 * @param member the member of the body that has the name or the address
 */
export function taken(field: 'username' | 'email', member: string = field): ProblemError {
  return aboutMember('conflict', member, `This ${field} is already taken`)
}

export function tooManyMails(): ProblemError {
  return mailboxFull('mails', 60 * minuteMilliseconds)
}

/** Returns the error for one member of the body. `errors` names the member. */
export function aboutMember(
  code: 'conflict' | 'forbidden',
  member: string,
  msg: string,
): ProblemError {
  const errors = [{ loc: ['body', member], msg, type: 'value_error' }]
  return new ProblemError(code, msg, { errors })
}

/**
 * Returns the error for a user that another request has changed since this request read the user.
 */
export function outdated(): ProblemError {
  return new ProblemError(
    'conflict',
    'Another request changed this user at the same time; read the user again',
  )
}

/**
 * Refuses a request that conflicts with another one. Accepts `absent`: a user who is deleted
 * already needs no second deletion.
 *
 * @throws {ProblemError} `conflict`
 */
export function refuseConflict(outcome: ChangeOutcome | 'deleted' | 'absent'): void {
  if (outcome === 'outdated') throw outdated()
  if (outcome === 'last-administrator')
    throw new ProblemError('conflict', 'The last administrator must stay an administrator')
}
