import type { HttpRequestWithBody } from 'keystile/internal'
import { jsonAnswer } from '../../../http/answers.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/account-route.ts'
import type { RegistrationForm } from '../../users/accounts/registration-form.ts'
import type { BegunRegistration } from '../../users/accounts/registration.ts'
import { requiredString } from '../flows/endpoint-parts.ts'

export type PendingBegun = Extract<BegunRegistration, { outcome: 'pending' }>

/** `POST /users` if addresses must be confirmed. */
export function registrationRoute(
  { schema }: RegistrationForm,
  begin: (request: HttpRequestWithBody) => Promise<PendingBegun>,
): OpenRoute {
  return {
    ...accountRoute('POST', '/users', {
      summary: 'Register',
      description:
        'Sends a mail to the address, with a link and a code, valid for 24 hours. ' +
        '`POST /email-verifications/confirm` then creates the account. ' +
        'The answer is the same if the username or the email is taken. ' +
        'If no mail arrives, the mailbox may have got too many mails: register again six hours ' +
        'later, or let the operator send an invitation. ' +
        '`Accept-Language` chooses the language of the mail.',
      body: { type: 'json', schema },
      success: {
        status: 202,
        description: 'The id of the registration, which is needed with the code',
        schema: requiredString('registration_id'),
      },
      refuses: { 403: 'Registration is closed', 429: tooManyTries },
    }),
    async handle(request) {
      const { registrationId } = await begin(request)
      return jsonAnswer(202, { registration_id: registrationId })
    },
  }
}
