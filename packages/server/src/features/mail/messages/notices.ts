import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { prepareMail, type NewMail } from '../outbox/new-mail.ts'
import { preferredLanguage } from './language.ts'
import type { NoticeKind, OptionalNotice } from './message.ts'

/** How long Keystile tries to send a notice. After that, the notice is deleted. */
const lifetimeMilliseconds = 3 * 24 * 60 * 60 * 1000

/** The request that caused a notice. */
interface NoticeCause {
  /** The IP address, which the notice shows to the user. */
  readonly address?: string | undefined
  /** The header `Accept-Language`. The notice is in this language too. */
  readonly acceptLanguage?: string | undefined
  /** For `factor_added`: whether the new authenticator app has replaced another one. */
  readonly isReplacement?: boolean
}

/**
 * Prepares notices about an account. The transaction of the change stores the notice, so the notice
 * goes to the address that the account has at that moment. Undefined if the notice is not sent,
 * because the settings disable it, or because there are no settings for mail.
 */
export type Notices = (kind: NoticeKind, cause?: NoticeCause) => NewMail | undefined

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
