// The endpoint where a person without an account creates one.
import type { OpenRoute } from '../../../http/route.ts'
import { byStranger } from '../../operations/audit/audit.ts'
import type { ComparableName } from '../directory/names.ts'
import { preferredLanguage } from '../../mail/messages/language.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import { createRegistrationForm, type RegistrationFormParts } from './registration-form.ts'
import { accountRoute, taken, tooManyTries } from './route-parts.ts'
import type { Users } from './users.ts'
import { createdAnswer, describeCreated } from './wire-user.ts'

export interface RegistrationParts extends Omit<RegistrationFormParts, 'sendsMail'> {
  readonly issuer: string
  readonly users: Pick<Users, 'create'>
  /**
   * Prepares the mail by which a new user verifies the address. Undefined with
   * `emailVerification: 'off'`.
   */
  readonly verification: ((email: ComparableName, language: string) => PreparedRequest) | undefined
}

/** `POST /users`: creates an account for a caller without a token, if registration is open. */
export function registerRoute(parts: RegistrationParts): OpenRoute {
  const { issuer, users, limits, verification, profile } = parts
  const form = createRegistrationForm({ ...parts, sendsMail: verification !== undefined })
  const success = describeCreated(
    profile,
    'The new user',
    verification && {
      [requestField]: { type: 'string', description: 'Needed with the code of the mail' },
    },
  )

  return {
    ...accountRoute,
    method: 'POST',
    path: '/users',
    doc: {
      tag: 'Own account',
      summary: 'Register',
      ...(verification && {
        description:
          'Sends a mail to the address, with a link and a code by which the user verifies it. ' +
          'If no mail arrives, the mailbox may have got too many: request another one an hour ' +
          'later at `POST /email-verifications`.',
      }),
      body: { type: 'json', schema: form.schema },
      success,
      refuses: {
        403: 'Registration is closed',
        409: 'The username or the email is taken',
        429: tooManyTries,
      },
    },
    async handle(request) {
      const { spent, ...registered } = await form.read(request)
      const language = preferredLanguage(request.headers.get('accept-language')) ?? ''
      const mail = verification?.(registered.email, language)
      const fresh = { ...registered, scopes: [], roles: [] }
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
