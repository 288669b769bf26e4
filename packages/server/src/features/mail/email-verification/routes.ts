// The endpoints of the flow that verifies addresses. The second one also finishes registrations.
import type * as z from 'zod'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields, stringField } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { GuardedRoute, OptionalRoute } from '../../../http/route.ts'
import { byCaller, byStranger } from '../../operations/audit/by.ts'
import { currentPasswordField, usernameField } from '../../users/accounts/account-fields.ts'
import { ownAccount, tooManyTries, type AccountCaller } from '../../users/accounts/account-route.ts'
import { createdAnswer, describeCreated } from '../../users/accounts/wire-user.ts'
import { languageFor, requestAccepted, unprocessable } from '../flows/endpoint-parts.ts'
import type { FlowParts } from '../flows/flow.ts'
import type { Confirmation, PresentedVerification, Verifications } from './verification-types.ts'

/** `POST /email-verifications`: sends another mail to the user of the token. */
export function requestRoute(
  verifications: Pick<Verifications, 'request'>,
): GuardedRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/email-verifications', {
      summary: 'Request a mail to verify the address',
      description:
        'Sends a mail with a link and a code, valid for 24 hours, to the address of the account. ' +
        '`Accept-Language` chooses the language of the mail.',
      success: requestAccepted,
      refuses: { 409: 'The email is already verified, or there is none', 429: tooManyTries },
    }),
    handle: async (request, { user }) =>
      jsonAnswer(202, { request_id: await verifications.request(user, languageFor(request)) }),
  }
}

const confirmation = strictFields({
  token: stringField().meta({ description: 'The `token` in the link' }).optional(),
  request_id: stringField().meta({ description: 'Send it with the code of an account' }).optional(),
  registration_id: stringField()
    .meta({ description: 'Send it with the code of a registration' })
    .optional(),
  code: stringField().meta({ example: '1234 5678' }).optional(),
  password: currentPasswordField
    .meta({
      description:
        'The password of the account or registration. Required, unless the request has an access ' +
        'token of the account or a `registration_id`. With `username`, it is always required',
    })
    .optional(),
  username: usernameField
    .meta({
      description:
        'Replaces the user name of the registration, for example if that is taken. Send ' +
        '`password` too',
    })
    .optional(),
})

/** `POST /email-verifications/confirm`: verifies an address, or finishes a registration. */
export function confirmRoute(
  verifications: Pick<Verifications, 'confirm'>,
  { issuer, profile }: Pick<FlowParts, 'issuer' | 'profile'>,
): OptionalRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/email-verifications/confirm', {
      summary: 'Verify an address',
      description:
        'Takes the token of the link; or the code, with the id of the request or of the ' +
        'registration. Except with the code of a registration, also requires the access token or ' +
        'the password of the account, because another person may have registered the address.',
      body: { type: 'json', schema: describeFields(confirmation) },
      success: { status: 204, description: 'The address of the account is verified' },
      otherSuccess: describeCreated(profile, 'The registration became this account'),
      refuses: {
        403: 'The link, the code or the password is wrong, was used before, or has expired',
        409: 'The username or the email is taken; `errors` says which',
        429: tooManyTries,
      },
    }),
    isOptional: true,
    async handle(request, caller) {
      const fields = await readFields(confirmation, request)
      const by = caller ? byCaller(request, caller.identity) : byStranger(request)
      const wanted = confirmationOf(fields, caller?.identity.subject)
      const user = await verifications.confirm(wanted, by)
      return user ? createdAnswer(user, issuer) : emptyAnswer
    },
  }
}

/** @throws {ProblemError} 422 if the body lacks a field, or has fields that cannot be combined */
function confirmationOf(
  fields: z.output<typeof confirmation>,
  caller: string | undefined,
): Confirmation {
  const presented = presentedVerificationOf(fields)
  const { password, username } = fields
  if (password === undefined && !caller && !('registrationId' in presented))
    throw unprocessable('The body must have password, unless the request has an access token')
  if (password === undefined && username)
    throw unprocessable('The body must have password together with username')
  return { presented, caller, password, username }
}

/** @throws {ProblemError} 422 unless the body has one id or token, and a code with each id */
function presentedVerificationOf(fields: z.output<typeof confirmation>): PresentedVerification {
  const { token, code, request_id: requestId, registration_id: registrationId } = fields
  if ([token, requestId, registrationId].filter((id) => id !== undefined).length === 1) {
    if (token !== undefined && code === undefined) return { token }
    if (requestId !== undefined && code !== undefined) return { requestId, code }
    if (registrationId !== undefined && code !== undefined) return { registrationId, code }
  }
  throw unprocessable('The body must have either token, or code with request_id or registration_id')
}
