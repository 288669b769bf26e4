// What a person sends to register. Both kinds of registration read it: the one that creates an
// account at once, and the one that waits for a mail.
import * as z from 'zod'
import { ProblemError, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import { readJsonObject, refuseFaults } from '../../../http/json-body.ts'
import { addressOf } from '../../operations/audit/audit.ts'
import type { ComparableName } from '../directory/names.ts'
import { useOf, type Spent } from '../../operations/limits/uses.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import {
  describeAccountFields,
  emailField,
  findPasswordErrors,
  getAccountFields,
  newPasswordField,
  usernameField,
} from './account-fields.ts'
import { registrationMailRate, registrationRate } from './feature.ts'
import type { Profile } from './profile.ts'
import type { AccountParts } from './route-parts.ts'

export interface RegistrationFormParts extends Pick<
  AccountParts,
  'passwordPolicy' | 'limits' | 'profile'
> {
  readonly passwords: Pick<Passwords, 'hash'>
  readonly registration: 'open' | 'closed'
  readonly sendsMail: boolean
}

/** A registration whose fields are valid. Another user may already have the name or the address. */
export interface ReadRegistration {
  readonly username: ComparableName
  readonly email: ComparableName
  readonly passwordHash: string
  readonly profile: Profile
  /** The use of the limit for mails. Refund it if the registration causes no mail. */
  readonly spent: Spent
}

export interface RegistrationForm {
  readonly schema: JsonObject
  /**
   * Reads a registration and hashes its password. Looks up no account.
   *
   * @throws {ProblemError} `unprocessable_content`, `too_many_requests` or
   *   `temporarily_unavailable`; `forbidden` if registration is closed
   */
  read(request: HttpRequestWithBody): Promise<ReadRegistration>
}

export function createRegistrationForm(parts: RegistrationFormParts): RegistrationForm {
  const { passwords, passwordPolicy, limits, registration, profile, sendsMail } = parts
  const schema = z.object({
    username: usernameField,
    email: emailField,
    password: newPasswordField(passwordPolicy),
  })

  return {
    schema: describeAccountFields(schema, profile),
    async read(request) {
      if (registration === 'closed') throw new ProblemError('forbidden', 'Registration is closed')

      const body = await readJsonObject(request)
      const checked = await getAccountFields(schema, body, profile)
      const { username, email, password } = checked.fields

      // Counts the request after the quick checks, so that a typing error does not use up the
      // limit. Counts it before the check of the password policy: that check takes up to a
      // millisecond, so attackers must not run it without a limit.
      const address = addressOf(request)
      await limits.count(limits.usesAt(registrationRate, address))
      const owner = { username: username.shown, email: email.shown }
      refuseFaults(findPasswordErrors('password', password, owner, passwordPolicy))

      const passwordHash = await passwords.hash(password, address)
      // All callers share this limit, so a request that causes no mail must not use it up.
      const spent = await limits.count(sendsMail ? [useOf(registrationMailRate, '')] : [])
      return { username, email, passwordHash, profile: checked.profile, spent }
    },
  }
}
