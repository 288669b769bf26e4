import { ProblemError } from 'keystile/internal'
import { secondMilliseconds } from '../../../feature/limit-rate.ts'

/** Returns the error for a mailbox that got too many mails about a change of second factors. */
export function factorMailboxFull(waitMilliseconds: number): ProblemError {
  return mailboxFull('mails about second factors', waitMilliseconds)
}

/**
 * Returns the error for a mailbox that got too many mails of a kind.
 *
 * @param waitMilliseconds the time until the mailbox has room for the next one
 */
export function mailboxFull(mails: string, waitMilliseconds: number): ProblemError {
  const message = `This mailbox got too many ${mails}; try again later`
  const retryAfterSeconds = Math.ceil(waitMilliseconds / secondMilliseconds)
  return new ProblemError('too_many_requests', message, { retryAfterSeconds })
}
