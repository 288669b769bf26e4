// Reads the JSON body of a request: `readFields`, or its three steps for a route that finds more
// faults by itself.
import {
  parseJsonObject,
  ProblemError,
  type FieldError,
  type HttpRequestWithBody,
  type JsonObject,
} from 'keystile/internal'
import type * as z from 'zod'
import { maxBodyBytes, mediaTypeOf } from './request.ts'

/**
 * Reads a JSON body and checks it against a schema.
 *
 * @throws {ProblemError} 413, 415 or 400 as `readJsonObject()` does, and 422 with all faults if the
 *   members are not valid
 */
export async function readFields<T extends z.ZodType>(
  schema: T,
  request: HttpRequestWithBody,
): Promise<z.output<T>> {
  return getFields(checkFields(schema, await readJsonObject(request)))
}

/**
 * Reads a JSON object from the body. Refuses an object that repeats a member, because two parsers
 * could read different values. Does NOT check the members.
 *
 * @throws {ProblemError} 415 if the content type is not JSON, 413 if the body is too long, and 400
 *   if the body is not exactly one JSON object
 */
export async function readJsonObject(request: HttpRequestWithBody): Promise<JsonObject> {
  const mediaType = mediaTypeOf(request)
  // This check stops requests that a page of another origin sends without a preflight. Such a page
  // can send a form or plain text, but not JSON.
  if (mediaType === undefined || !/^application\/(json|[\w.+-]+\+json)$/.test(mediaType)) {
    throw new ProblemError('unsupported_media_type', 'The body must be sent as application/json')
  }

  const bytes = await request.body(maxBodyBytes)
  try {
    return parseJsonObject(bytes)
  } catch (error) {
    throw new ProblemError(
      'bad_request',
      `The body must be one JSON object; this one is ${(error as Error).message}`,
    )
  }
}

/** The fields of a body, or its faults. */
export type CheckedFields<T> =
  | { readonly errors: readonly []; readonly fields: T }
  | { readonly errors: readonly FieldError[]; readonly fields?: undefined }

/** Checks a body against a schema. The messages come from the schema and never repeat the input. */
export function checkFields<T extends z.ZodType>(
  schema: T,
  body: JsonObject,
): CheckedFields<z.output<T>> {
  const result = schema.safeParse(body, { reportInput: true })
  if (result.success) return { errors: [], fields: result.data }

  const errors = result.error.issues.map((issue) => ({
    loc: ['body', ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
    msg: issue.message,
    type: typeOf(issue),
  }))
  return { errors }
}

/**
 * Returns the fields of a checked body.
 *
 * @param others faults that another check found in the same body
 * @throws {ProblemError} 422 with all faults, when there are any
 */
export function getFields<T>(
  { errors, fields }: CheckedFields<T>,
  others: readonly FieldError[] = [],
): T {
  if (fields === undefined || others.length > 0) throw unprocessable([...errors, ...others])
  return fields
}

/**
 * Refuses a request that has faults.
 *
 * @throws {ProblemError} 422 with all faults, if there are any
 */
export function refuseFaults(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw unprocessable(errors)
}

function unprocessable(errors: readonly FieldError[]): ProblemError {
  return new ProblemError('unprocessable_content', errors.map(sentenceOf).join('; '), { errors })
}

function sentenceOf({ loc, msg }: FieldError): string {
  const name = loc.slice(1).join('.')
  return name === '' ? msg : `${name}: ${msg}`
}

/** Returns the `type` that Pydantic, and therefore FastAPI, gives to this fault. */
function typeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'extra_forbidden'
  if (issue.code !== 'invalid_type' || issue.expected !== 'string') return 'value_error'
  return issue.input === undefined ? 'missing' : 'string_type'
}
