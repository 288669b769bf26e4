// The members of a body that confirms something by a link or a code of a mail.
import type * as z from 'zod'
import { ProblemError, type JsonObject } from 'keystile/internal'
import { stringField } from '../../../http/json-body.ts'
import type { Presented } from '../../mail/proofs/proofs.ts'

/**
 * The members of a body with the token of a link, or with a code and its request id.
 * `presentedOf()` checks that the body has either the token, or the code and the request id.
 */
export const proofFields: Readonly<
  Record<'token' | 'request_id' | 'code', z.ZodOptional<z.ZodString>>
> = {
  token: stringField().meta({ description: 'The token of the link' }).optional(),
  request_id: stringField().meta({ description: 'Needed with the code' }).optional(),
  code: stringField().meta({ example: '1234 5678' }).optional(),
}

/**
 * Returns the token of a link, or a code with its request id, from the members of a body.
 *
 * @throws {ProblemError} 422 unless the body has only a token, or only a code and its request id
 */
export function presentedOf({
  token,
  request_id: requestId,
  code,
}: {
  readonly token?: string | undefined
  readonly request_id?: string | undefined
  readonly code?: string | undefined
}): Presented {
  if (token !== undefined && requestId === undefined && code === undefined) return { token }
  if (token === undefined && requestId !== undefined && code !== undefined)
    return { requestId, code }
  throw new ProblemError(
    'unprocessable_content',
    'The body must have either token, or request_id and code',
    { errors: [] },
  )
}

/** The JSON Schema of the answer to a request that sends a mail. */
export const requestIdSchema: JsonObject = {
  type: 'object',
  properties: { request_id: { type: 'string' } },
  required: ['request_id'],
}
