// How a person without an account gets one. `POST /users` and Keystile's own page call the same
// function, `begin()`. The one in this file creates the account at once. If the address must be
// confirmed first, features/mail/pending-registration takes its place.
import type { HttpRequestWithBody } from 'keystile/internal'
import type { OpenRoute } from '../../../http/route.ts'
import { preferredLanguage } from '../../mail/messages/language.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { ComparableName } from '../directory/names.ts'
import type { Acceptance } from './acceptance.ts'
import { accountRoute, tooManyTries } from './account-route.ts'
import { taken } from './refusals.ts'
import { createRegistrationForm, type RegistrationFormParts } from './registration-form.ts'
import type { User } from './user.ts'
import { createdAnswer, describeCreated } from './wire-user.ts'

export interface Registration {
  /**
   * Registers a person, with the form in the JSON body of a request.
   *
   * @param onPage what only the page knows
   * @throws {ProblemError} as `RegistrationForm.read()` does; `conflict` if an account is created
   *   at once and the name or the address is taken
   */
  begin(request: HttpRequestWithBody, onPage?: OnPage): Promise<BegunRegistration>
  /** `POST /users`. */
  readonly route: OpenRoute
}

export interface OnPage {
  /** What the person has accepted there. */
  readonly accepted: Acceptance | undefined
  /** Whether the login that follows sends a mail with a code, which verifies the address too. */
  readonly loginSendsMail: boolean
}

export type BegunRegistration =
  | CreatedAccount
  /** The account is created when the person confirms the address with the mail. */
  | { readonly outcome: 'pending'; readonly registrationId: string }

interface CreatedAccount {
  readonly outcome: 'created'
  readonly user: User
  /** The id of the request for the mail that verifies the address; undefined without this mail. */
  readonly mailId: string | undefined
}

export interface RegistrationParts extends RegistrationFormParts {
  readonly issuer: string
  /**
   * Prepares the mail by which a new user verifies the address. Undefined with
   * `emailVerification: 'off'`.
   */
  readonly verification: ((email: ComparableName, language: string) => PreparedRequest) | undefined
}

/** Creates accounts for callers without a token, if registration is open. */
export function createRegistration(parts: RegistrationParts): Registration {
  const { issuer, users, limits, verification, profile } = parts
  const form = createRegistrationForm(parts)

  async function begin(request: HttpRequestWithBody, onPage?: OnPage): Promise<CreatedAccount> {
    const { spent, ...registered } = await form.read(request)
    const language = preferredLanguage(request.headers.get('accept-language')) ?? ''
    const mail = onPage?.loginSendsMail ? undefined : verification?.(registered.email, language)
    const fresh = { ...registered, accepted: onPage?.accepted, scopes: [], roles: [] }
    const stored = await users.create(fresh, byStranger(request), mail)
    if ('taken' in stored) {
      await limits.refund(spent)
      throw taken(stored.taken)
    }
    return { outcome: 'created', user: stored.user, mailId: mail?.requestId }
  }

  const idOfMail = { type: 'string', description: 'Needed with the code of the mail' }
  const others = verification && { [mailIdField]: idOfMail }
  const route: OpenRoute = {
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
    async handle(request) {
      const { user, mailId } = await begin(request)
      return createdAnswer(user, issuer, { [mailIdField]: mailId })
    },
  }
  return { begin, route }
}

/**
 * The member of the answer that has the id of the mail request. A client that sends the code from
 * the mail must also send this id.
 */
const mailIdField = 'verification_request_id'
