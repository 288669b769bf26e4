// The endpoint where a person without an account creates one, and what this person sends. The flow
// of registrations that wait for a mail (mail/pending-registration) reads the same form.
import * as z from 'zod'
import {
  ProblemError,
  type HttpAnswer,
  type HttpRequestWithBody,
  type JsonObject,
} from 'keystile/internal'
import { readJsonObject, refuseFaults } from '../../../http/json-body.ts'
import type { OpenRoute, RouteRequest } from '../../../http/route.ts'
import { addressOf } from '../../../http/address.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { ComparableName } from '../directory/names.ts'
import { useOf, type Spent } from '../../operations/limits/uses.ts'
import { preferredLanguage } from '../../mail/messages/language.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import type { Acceptance } from './acceptance.ts'
import {
  describeAccountFields,
  emailField,
  findPasswordErrors,
  findQuickPasswordErrors,
  getAccountFields,
  newPasswordField,
  usernameField,
} from './account-fields.ts'
import { accountRates } from './feature.ts'
import type { Profile } from './profile.ts'
import { taken } from './refusals.ts'
import { accountRoute, tooManyTries, type AccountParts } from './route-parts.ts'
import { createdAnswer, describeCreated } from './wire-user.ts'

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

/**
 * Returns the form with its JSON Schema. `read()` reads a registration and hashes its password. It
 * looks up no account.
 *
 * @throws {ProblemError} (`read()`) `unprocessable_content`, `too_many_requests` or
 *   `temporarily_unavailable`; `forbidden` if registration is closed
 */
export function createRegistrationForm(parts: RegistrationFormParts): {
  readonly schema: JsonObject
  read(request: HttpRequestWithBody): Promise<ReadRegistration>
} {
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

/** What Keystile's own page adds to `POST /users`. */
export interface RegisteredOnPage {
  /** What the person has accepted there. */
  readonly accepted: Acceptance | undefined
  /** Whether the login that follows sends a mail with a code, which verifies the address too. */
  readonly loginSendsMail: boolean
}

export interface RegisterRoute extends OpenRoute {
  handle(request: RouteRequest, onPage?: RegisteredOnPage): Promise<HttpAnswer>
}

export interface RegistrationParts extends RegistrationFormParts {
  readonly issuer: string
  /**
   * Prepares the mail by which a new user verifies the address. Undefined with
   * `emailVerification: 'off'`.
   */
  readonly verification: ((email: ComparableName, language: string) => PreparedRequest) | undefined
}

/** `POST /users`: creates an account for a caller without a token, if registration is open. */
export function registerRoute(parts: RegistrationParts): RegisterRoute {
  const { issuer, users, limits, verification, profile } = parts
  const form = createRegistrationForm(parts)
  const idOfMail = { type: 'string', description: 'Needed with the code of the mail' }
  const others = verification && { [requestField]: idOfMail }

  return {
    ...accountRoute('POST', '/users', {
      summary: 'Register',
      ...(verification && {
        description:
          'Sends a mail to the address, with a link and a code by which the user verifies it. ' +
          'If no mail arrives, the mailbox may have got too many mails: request another one an ' +
          'hour later at `POST /email-verifications`.',
      }),
      body: { type: 'json', schema: form.schema },
      success: describeCreated(profile, 'The new user', others),
      refuses: {
        403: 'Registration is closed',
        409: 'The username or the email is taken',
        429: tooManyTries,
      },
    }),
    async handle(request, { accepted, loginSendsMail = false }: Partial<RegisteredOnPage> = {}) {
      const { spent, ...registered } = await form.read(request)
      const language = preferredLanguage(request.headers.get('accept-language')) ?? ''
      const mail = loginSendsMail ? undefined : verification?.(registered.email, language)
      const fresh = { ...registered, accepted, scopes: [], roles: [] }
      const stored = await users.create(fresh, byStranger(request), mail)
      if ('taken' in stored) {
        await limits.refund(spent)
        throw taken(stored.taken)
      }
      return createdAnswer(stored.user, issuer, { [requestField]: mail?.requestId })
    },
  }
}

/**
 * The name of the member of the answer that has the id of the mail request. A client that sends the
 * code from the mail must also send this id.
 */
const requestField = 'verification_request_id'
