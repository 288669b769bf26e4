// What the endpoints of the flows by mail share: what a request answers, and the members of a
// confirmation.
import { ProblemError, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import type * as z from 'zod'
import { stringField } from '../../../http/fields.ts'
import type { SuccessDoc } from '../../../http/route.ts'
import { tooManyTries } from '../../users/accounts/account-route.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { Language } from '../messages/message.ts'
import type { Presented } from '../proofs/proofs.ts'

/** What a request answers, whether or not a mail follows. */
export const requestAccepted: SuccessDoc = {
  status: 202,
  description: 'The id of the request, which is needed with the code',
  schema: requiredString('request_id'),
}

/** The refusals of a confirmation, for the OpenAPI document. */
export const proofRefuses: Readonly<Record<number, string>> = {
  403: 'The link or the code is wrong, was used before, or has expired',
  429: tooManyTries,
}

/** Returns the JSON Schema of an object with one string. */
export function requiredString(name: string): JsonObject {
  return { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] }
}

/** Returns the language of the mail for a request; empty for the language of the settings. */
export function languageFor({ headers }: Pick<HttpRequestWithBody, 'headers'>): Language | '' {
  return preferredLanguage(headers.get('accept-language')) ?? ''
}

/**
 * The members of a body with the token of a link, or with a code and its request id.
 * `presentedOf()` checks that the body has either the token, or the code and the request id.
 */
export const proofFields: Readonly<
  Record<'token' | 'request_id' | 'code', z.ZodOptional<z.ZodString>>
> = {
  token: stringField().meta({ description: 'The `token` in the link' }).optional(),
  request_id: stringField().meta({ description: 'Send it with the code' }).optional(),
  code: stringField().meta({ example: '1234 5678' }).optional(),
}

/**
 * Returns the token of a link, or a code with its request id, from the members of a body.
 *
 * @throws {ProblemError} 422 unless the body has only a token, or only a code and its request id
 */
export function presentedOf(
  fields: Partial<Record<keyof typeof proofFields, string | undefined>>,
): Presented {
  const { token, request_id: requestId, code } = fields
  if (token !== undefined && requestId === undefined && code === undefined) return { token }
  if (token === undefined && requestId !== undefined && code !== undefined)
    return { requestId, code }
  throw unprocessable('The body must have either token, or request_id and code')
}

/** Returns the error for a body that lacks a member, or has members that cannot be combined. */
export function unprocessable(message: string): ProblemError {
  return new ProblemError('unprocessable_content', message, { errors: [] })
}
