// The endpoints of the flow for a new password.
import { addressOf } from '../../../http/address.ts'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields, stringField } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { newPasswordField } from '../../users/accounts/account-fields.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/account-route.ts'
import {
  languageFor,
  presentedOf,
  proofFields,
  proofRefuses,
  requestAccepted,
} from '../flows/endpoint-parts.ts'
import type { PasswordResets } from './reset-types.ts'

const requestFields = strictFields({
  login: stringField().meta({ description: 'A user name or an e-mail address', example: 'ada' }),
  device_secret: stringField()
    .meta({ description: 'The device secret of the last login on this device' })
    .optional(),
})

/**
 * `POST /password-resets`: sends a link and a code, if an account has the name or address in
 * `login`.
 */
export function requestRoute(resets: Pick<PasswordResets, 'request'>): OpenRoute {
  return {
    ...accountRoute('POST', '/password-resets', {
      summary: 'Request a new password',
      description:
        'Sends a mail with a link and a code, valid for three hours, if there is such an account ' +
        'and it has an e-mail address. The answer is the same if there is none. ' +
        'After several mails none is sent while the link of the last one works. ' +
        '`Accept-Language` chooses the language of the mail.',
      body: { type: 'json', schema: describeFields(requestFields) },
      success: requestAccepted,
      refuses: { 429: tooManyTries },
    }),
    async handle(request) {
      const { login, device_secret: deviceSecret } = await readFields(requestFields, request)
      const wanted = { login, language: languageFor(request), deviceSecret }
      return jsonAnswer(202, { request_id: await resets.request(wanted, addressOf(request)) })
    },
  }
}

/** `POST /password-resets/confirm`: sets the new password. */
export function confirmRoute(
  resets: Pick<PasswordResets, 'confirm'>,
  policy: PasswordPolicy,
): OpenRoute {
  const confirmFields = strictFields({ ...proofFields, new_password: newPasswordField(policy) })

  return {
    ...accountRoute('POST', '/password-resets/confirm', {
      summary: 'Set a new password',
      description:
        'Takes the token of the link, or the code with the id of the request. ' +
        'Ends every session of the user. A refused password uses up neither link nor code.',
      body: { type: 'json', schema: describeFields(confirmFields) },
      success: { status: 204, description: 'Changed' },
      refuses: proofRefuses,
    }),
    async handle(request) {
      const fields = await readFields(confirmFields, request)
      await resets.confirm(presentedOf(fields), fields.new_password, byStranger(request))
      return emptyAnswer
    },
  }
}
