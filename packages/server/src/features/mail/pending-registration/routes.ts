import { jsonAnswer, type OpenRoute } from '../../../http/route.ts'
import {
  createRegistrationForm,
  type RegistrationFormParts,
} from '../../users/accounts/registration-form.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/route-parts.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { Registrations } from './registrations.ts'

export interface PendingRegistrationParts extends Omit<RegistrationFormParts, 'sendsMail'> {
  readonly registrations: Pick<Registrations, 'register'>
}

/** `POST /users` if addresses must be verified: stores a registration, and creates no account. */
export function pendingRegistrationRoute(parts: PendingRegistrationParts): OpenRoute {
  const form = createRegistrationForm({ ...parts, sendsMail: true })

  return {
    ...accountRoute,
    method: 'POST',
    path: '/users',
    doc: {
      tag: 'Own account',
      summary: 'Register',
      description:
        'Sends a mail to the address, with a link and a code, valid for 24 hours. ' +
        '`POST /email-verifications/confirm` then creates the account. ' +
        'The answer is the same if the username or the email is taken. ' +
        'If no mail arrives, the mailbox may have got too many: register again six hours later, ' +
        'or let the operator send an invitation. ' +
        '`Accept-Language` chooses the language of the mail.',
      body: { type: 'json', schema: form.schema },
      success: {
        status: 202,
        description: 'The id of the registration, which is needed with the code',
        schema: {
          type: 'object',
          properties: { registration_id: { type: 'string' } },
          required: ['registration_id'],
        },
      },
      refuses: { 403: 'Registration is closed', 429: tooManyTries },
    },
    async handle(request) {
      const registered = await form.read(request)
      const language = preferredLanguage(request.headers.get('accept-language')) ?? ''
      const registrationId = await parts.registrations.register(registered, language)
      return jsonAnswer(202, { registration_id: registrationId })
    },
  }
}
