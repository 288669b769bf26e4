import * as z from 'zod'
import { ProblemError } from 'keystile/internal'
import { describeFields, readFields, strictFields, stringField } from '../../../http/json-body.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type GuardedRoute,
  type OptionalRoute,
  type Route,
} from '../../../http/route.ts'
import { currentPasswordField, usernameField } from '../../users/accounts/account-fields.ts'
import type { ProfileSchema } from '../../users/accounts/profile.ts'
import { ownAccount, tooManyTries, type AccountCaller } from '../../users/accounts/route-parts.ts'
import { describeUser, wireUser } from '../../users/accounts/wire-user.ts'
import { byCaller, byStranger } from '../../operations/audit/audit.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { Language } from '../messages/message.ts'
import type { Confirmation, PresentedVerification, Verifications } from './verifications.ts'

export interface VerificationRouteParts {
  readonly issuer: string
  readonly verifications: Verifications
  readonly profile: ProfileSchema | undefined
}

export function verificationRoutes(parts: VerificationRouteParts): readonly Route<AccountCaller>[] {
  return [requestRoute(parts), confirmRoute(parts)]
}

/** `POST /email-verifications`: sends another mail to the user of the token. */
function requestRoute({ verifications }: VerificationRouteParts): GuardedRoute<AccountCaller> {
  return {
    ...ownAccount,
    method: 'POST',
    path: '/email-verifications',
    isFirstPartyOnly: true,
    doc: {
      tag: 'Own account',
      summary: 'Request a mail to verify the address',
      description:
        'Sends a mail with a link and a code, valid for 24 hours, to the address of the account. ' +
        '`Accept-Language` chooses the language of the mail.',
      success: {
        status: 202,
        description: 'The id of the request, which is needed with the code',
        schema: {
          type: 'object',
          properties: { request_id: { type: 'string' } },
          required: ['request_id'],
        },
      },
      refuses: { 409: 'The email is already verified, or there is none', 429: tooManyTries },
    },
    async handle(request, { user }) {
      const accepted = request.headers.get('accept-language')
      const language: Language | '' = preferredLanguage(accepted) ?? ''
      return jsonAnswer(202, { request_id: await verifications.request(user, language) })
    },
  }
}

const confirmation = strictFields({
  token: stringField().meta({ description: 'The token of the link' }).optional(),
  request_id: stringField().meta({ description: 'Needed with the code of an account' }).optional(),
  registration_id: stringField()
    .meta({ description: 'Needed with the code of a registration' })
    .optional(),
  code: stringField().meta({ example: '1234 5678' }).optional(),
  password: currentPasswordField
    .meta({ description: 'Needed without an access token; not with a registration_id' })
    .optional(),
  username: usernameField
    .meta({ description: 'Instead of the registered one, if that is taken. Needs the password' })
    .optional(),
})

/** `POST /email-verifications/confirm`: verifies an address, or finishes a registration. */
function confirmRoute({
  issuer,
  verifications,
  profile,
}: VerificationRouteParts): OptionalRoute<AccountCaller> {
  return {
    ...ownAccount,
    method: 'POST',
    path: '/email-verifications/confirm',
    isOptional: true,
    isFirstPartyOnly: true,
    doc: {
      tag: 'Own account',
      summary: 'Verify an address',
      description:
        'Takes the token of the link; or the code, with the id of the request or of the ' +
        'registration. Requires the access token or the password of the account, because another ' +
        'person may have registered the address.',
      body: { type: 'json', schema: describeFields(confirmation) },
      success: { status: 204, description: 'The address of the account is verified' },
      otherSuccess: {
        status: 201,
        description: 'The registration became this account',
        schema: describeUser(profile),
        headers: { Location: 'The URL of the user' },
      },
      refuses: {
        403: 'The link, the code or the password is wrong, was used before, or has expired',
        409: 'The username or the email is taken; `errors` says which',
        429: tooManyTries,
      },
    },
    async handle(request, caller) {
      const fields = await readFields(confirmation, request)
      const by = caller ? byCaller(request, caller.identity) : byStranger(request)
      const wanted = confirmationOf(fields, caller?.identity.subject)
      const user = await verifications.confirm(wanted, by)
      if (!user) return emptyAnswer

      const location = `${issuer}/users/${user.publicUser.id}`
      return jsonAnswer(201, wireUser(user.publicUser), { location })
    },
  }
}

/** @throws {ProblemError} 422 if the body lacks a field, or has fields that cannot be combined */
function confirmationOf(
  {
    token,
    request_id: requestId,
    registration_id: registrationId,
    code,
    password,
    username,
  }: z.output<typeof confirmation>,
  caller: string | undefined,
): Confirmation {
  const presented = presentedOf({ token, requestId, registrationId, code })
  if (!presented)
    throw unprocessable(
      'The body must have either token, or code with request_id or registration_id',
    )
  if (password === undefined && !caller && registrationId === undefined)
    throw unprocessable('The body must have password, unless the request has an access token')
  if (password === undefined && username)
    throw unprocessable('The body must have password together with username')
  return { presented, caller, password, username }
}

function presentedOf({
  token,
  requestId,
  registrationId,
  code,
}: {
  readonly [N in 'token' | 'requestId' | 'registrationId' | 'code']: string | undefined
}): PresentedVerification | undefined {
  const ids = [token, requestId, registrationId].filter((id) => id !== undefined)
  if (ids.length !== 1 || (code === undefined) !== (token !== undefined)) return undefined

  if (token !== undefined) return { token }
  if (code === undefined) return undefined
  if (requestId !== undefined) return { requestId, code }
  return registrationId === undefined ? undefined : { registrationId, code }
}

function unprocessable(message: string): ProblemError {
  return new ProblemError('unprocessable_content', message, { errors: [] })
}
