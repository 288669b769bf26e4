// A change of the address that waits for the code in a mail. The browser that has asked for the
// change keeps it, so that the page of the account and the page for the code can show it.
import type { HttpAnswer } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import type { Done, Visit } from './visit.ts'

export interface PendingEmail {
  readonly requestId: string
  readonly email: string
}

/** Returns a value of `Set-Cookie`. */
export function keepPending({ kept }: Pick<Visit, 'kept'>, pending: PendingEmail): string {
  return kept.keep('address', JSON.stringify(pending))
}

export function readPending({ kept }: Visit): PendingEmail | undefined {
  const text = kept.read('address')
  // The cookie is encrypted, so only `keepPending()` can have written the text.
  return text === undefined ? undefined : (JSON.parse(text) as PendingEmail)
}

/**
 * Returns the change that this browser has asked for and that still waits for its code; undefined
 * if the account has the new address by now, for example by the link of the mail.
 *
 * @param address the address of the account
 */
export function pendingChange(visit: Visit, address: string | null): PendingEmail | undefined {
  const pending = readPending(visit)
  return pending && pending.email.toLowerCase() !== address?.toLowerCase() ? pending : undefined
}

/** Leads to the account. No change of the address waits for a code any more. */
export function addressConfirmed({ home, say, kept }: Visit, done: Done): HttpAnswer {
  return withCookies(seeOther(home), [say(done), kept.drop('address')])
}
