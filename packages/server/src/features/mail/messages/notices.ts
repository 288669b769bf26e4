import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { prepareMail, type NewMail } from '../outbox/new-mail.ts'
import { preferredLanguage } from './language.ts'
import type { NoticeKind, OptionalNotice } from './message.ts'

/** How long Keystile tries to send a notice. After that, the notice is deleted. */
const lifetimeMilliseconds = 3 * 24 * 60 * 60 * 1000

/**
 * Prepares notices about an account. The transaction of the change stores the notice, so the notice
 * goes to the address that the account has at that moment. Without the settings for mail, there are
 * no notices.
 *
 * @param cause the request that caused the notice. The notice shows its IP address to the user, and
 *   is in its language too. `isReplacement` changes the text of `factor_added`
 */
export type Notices = (
  kind: NoticeKind,
  cause?: {
    readonly address?: string | undefined
    readonly acceptLanguage?: string | undefined
    readonly isReplacement?: boolean
  },
) => NewMail | undefined

/** Prepares no notices, because there are no settings for mail. */
export const noNotices: Notices = () => undefined

/**
 * Creates `Notices`.
 *
 * @param seal returns the seal that encrypts the parameters of mails. It is called only for a
 *   notice with parameters
 * @param disabled the notices that are not sent
 */
export function createNotices(
  seal: () => Seal,
  clock: Clock,
  disabled: readonly OptionalNotice[] = [],
): Notices {
  return (kind, { address, acceptLanguage, isReplacement = false } = {}) => {
    if (disabled.some((name) => name === kind)) return undefined

    const language = preferredLanguage(acceptLanguage)
    const hasParameters = address !== undefined || language !== undefined || isReplacement
    const parameters = { address, language, ...(isReplacement && { replaces: 'yes' }) }
    const content = hasParameters ? { parameters, seal: seal() } : undefined
    return prepareMail({ template: kind, lifetimeMilliseconds }, content, clock.now())
  }
}
