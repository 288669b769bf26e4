import type { Verifications } from '../../mail/email-verification/verification-types.ts'
import type { Registration } from '../../users/accounts/registration.ts'
import type { ProfileFields } from '../account-pages/profile-fields.ts'

/** What the pages of a registration need. */
export interface RegistrationParts {
  readonly register: Registration
  /** Undefined if Keystile sends no mail to a new user. */
  readonly confirm: Verifications['confirm'] | undefined
  /** Whether the login after a registration sends a mail, which verifies the address too. */
  readonly loginSendsMail: boolean
  /** The fields that a profile must have. */
  readonly profile: ProfileFields
  /** The smallest number of characters of a password. */
  readonly minLength: number
}
