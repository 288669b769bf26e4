import { describeFields, readFields, strictFields, stringField } from '../../../http/json-body.ts'
import { emptyAnswer, jsonAnswer, type OpenRoute } from '../../../http/route.ts'
import { newPasswordField } from '../../users/accounts/account-fields.ts'
import { presentedOf, proofFields, requestIdSchema } from '../../users/accounts/proof-fields.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/route-parts.ts'
import { addressOf, byStranger } from '../../operations/audit/audit.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { PasswordResets } from './password-resets.ts'

export interface PasswordResetRouteParts {
  readonly resets: PasswordResets
  readonly passwordPolicy: PasswordPolicy
}

export function passwordResetRoutes(parts: PasswordResetRouteParts): readonly OpenRoute[] {
  return [requestRoute(parts), confirmRoute(parts)]
}

const request = strictFields({
  login: stringField().meta({ description: 'A user name or an e-mail address', example: 'ada' }),
  device_secret: stringField()
    .meta({ description: 'The device secret of the last login on this device' })
    .optional(),
})

/**
 * `POST /password-resets`: sends a link and a code, if an account has the name or address in
 * `login`.
 */
function requestRoute({ resets }: PasswordResetRouteParts): OpenRoute {
  return {
    ...accountRoute,
    method: 'POST',
    path: '/password-resets',
    doc: {
      tag: 'Own account',
      summary: 'Request a new password',
      description:
        'Sends a mail with a link and a code, valid for 15 minutes, if there is such an account ' +
        'and it has an e-mail address. The answer is the same if there is none. ' +
        '`Accept-Language` chooses the language of the mail.',
      body: { type: 'json', schema: describeFields(request) },
      success: {
        status: 202,
        description: 'The id of the request, which is needed with the code',
        schema: requestIdSchema,
      },
      refuses: { 429: tooManyTries },
    },
    async handle(sent) {
      const { login, device_secret: deviceSecret } = await readFields(request, sent)
      const language = preferredLanguage(sent.headers.get('accept-language'))
      const requestId = await resets.request({ login, language, deviceSecret }, addressOf(sent))
      return jsonAnswer(202, { request_id: requestId })
    },
  }
}

/** `POST /password-resets/confirm`: sets the new password. */
function confirmRoute({ resets, passwordPolicy }: PasswordResetRouteParts): OpenRoute {
  const members = strictFields({
    ...proofFields,
    new_password: newPasswordField(passwordPolicy),
  })

  return {
    ...accountRoute,
    method: 'POST',
    path: '/password-resets/confirm',
    doc: {
      tag: 'Own account',
      summary: 'Set a new password',
      description:
        'Takes the token of the link, or the code with the id of the request. ' +
        'Ends every session of the user. A refused password uses up neither link nor code.',
      body: { type: 'json', schema: describeFields(members) },
      success: { status: 204, description: 'Changed' },
      refuses: {
        403: 'The link or the code is wrong, was used before, or has expired',
        429: tooManyTries,
      },
    },
    async handle(sent) {
      const fields = await readFields(members, sent)
      await resets.confirm(presentedOf(fields), fields.new_password, byStranger(sent))
      return emptyAnswer
    },
  }
}
