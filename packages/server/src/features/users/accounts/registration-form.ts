// What a person sends to register. Each kind of registration reads this form: the one that creates
// the account at once (`registration.ts`), and the one that first waits for a confirmation by mail
// (features/mail/pending-registration).
import { ProblemError, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import * as z from 'zod'
import { addressOf } from '../../../http/address.ts'
import { readJsonObject, refuseFaults } from '../../../http/json-body.ts'
import { useOf, type Spent } from '../../operations/limits/uses.ts'
import type { ComparableName } from '../directory/names.ts'
import {
  emailField,
  findPasswordErrors,
  findQuickPasswordErrors,
  newPasswordField,
  usernameField,
} from './account-fields.ts'
import type { AccountParts } from './account-route.ts'
import { accountRates } from './feature.ts'
import { describeAccountFields, getAccountFields } from './new-account-body.ts'
import type { Profile } from './profile.ts'

export interface RegistrationFormParts extends AccountParts {
  readonly registration: 'open' | 'closed'
}

/** A registration whose fields are valid. Another user may already have the name or the address. */
export interface ReadRegistration {
  readonly username: ComparableName
  readonly email: ComparableName
  readonly passwordHash: string
  readonly profile: Profile
  /** The use of the limit of the server. Refund it if the registration stores nothing. */
  readonly spent: Spent
}

export interface RegistrationForm {
  readonly schema: JsonObject
  /**
   * Reads a registration from a JSON body, and hashes its password. Does NOT look up an account.
   *
   * @throws {ProblemError} `unprocessable_content`, `too_many_requests` or
   *   `temporarily_unavailable`; `forbidden` if registration is closed
   */
  read(request: HttpRequestWithBody): Promise<ReadRegistration>
}

export function createRegistrationForm(parts: RegistrationFormParts): RegistrationForm {
  const { passwords, passwordPolicy, limits, registration, profile } = parts
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
      const faults = findQuickPasswordErrors('password', body['password'], passwordPolicy)
      const checked = await getAccountFields(schema, body, profile, faults)
      const { username, email, password } = checked.fields

      // Counts the request after the quick checks, so that a typing error does not use up the
      // limit. Counts it before the other rules of the password policy: they take up to a
      // millisecond, so attackers must not run them without a limit.
      const address = addressOf(request)
      await limits.count(limits.usesAt(accountRates.registration, address))
      const owner = { username: username.shown, email: email.shown }
      refuseFaults(findPasswordErrors('password', password, owner, passwordPolicy))

      const passwordHash = await passwords.hash(password, address)
      // All callers share this limit, so a request that was refused before must not use it up.
      const spent = await limits.count([useOf(accountRates.server, '')])
      return { username, email, passwordHash, profile: checked.profile, spent }
    },
  }
}
