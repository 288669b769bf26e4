import type { Clock } from 'keystile/internal'
import { createSeal, type Seal } from '../../base/seal.ts'
import { prepareMail, type NewMail } from '../outbox/new-mail.ts'
import type { NoticeKind } from './message.ts'

/** A notice is erased if it could not be sent for this long. */
const lifetimeMilliseconds = 3 * 24 * 60 * 60 * 1000

/**
 * Prepares the notices about an account. The transaction of the change stores the notice, so it
 * goes to the address that the account has at that moment. Without mail, there is no notice.
 *
 * @param address the IP address that the change comes from. The notice shows it to the user
 */
export type Notices = (kind: NoticeKind, address?: string) => NewMail | undefined

/** Prepares no notices, because mail is not configured. */
export const noNotices: Notices = () => undefined

/**
 * Creates `Notices`.
 *
 * @param seal returns the seal of the parameters of mails. Called only for a notice with an address
 */
export function createNotices(seal: () => Seal, clock: Clock): Notices {
  return (kind, address) =>
    prepareMail(
      { template: kind, lifetimeMilliseconds },
      address === undefined ? undefined : { parameters: { address }, seal: seal() },
      clock.now(),
    )
}

/**
 * Returns a function that returns the seal of the parameters of mails.
 *
 * @param findSecret returns the secret. It is called at the first use of the seal
 */
export function openMailSeal(findSecret: () => string): () => Seal {
  let seal: Seal | undefined
  return () => (seal ??= createSeal(findSecret(), 'mails'))
}
