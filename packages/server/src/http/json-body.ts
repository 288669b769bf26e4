import * as z from 'zod'
import {
  parseJsonObject,
  ProblemError,
  type FieldError,
  type HttpRequestWithBody,
  type JsonObject,
} from 'keystile/internal'
import { maxBodyBytes, mediaTypeOf } from './route.ts'

/**
 * Reads a JSON object.
 *
 * @throws {ProblemError} 415 for another content type, 413 for too much, 400 for no unambiguous JSON object
 */
export async function readJsonObject(request: HttpRequestWithBody): Promise<JsonObject> {
  if (!/^application\/(json|[\w.+-]+\+json)$/.test(mediaTypeOf(request))) {
    throw new ProblemError('unsupported_media_type', 'The body must be sent as application/json')
  }
  const bytes = await request.body(maxBodyBytes)
  try {
    return parseJsonObject(bytes)
  } catch (error) {
    throw new ProblemError('bad_request', `The body must be one JSON object; this one is ${(error as Error).message}`)
  }
}

/** A string field whose faults read as FastAPI's do. */
export function stringField(): z.ZodString {
  return z.string({ error: ({ input }) => (input === undefined ? 'Field required' : 'Input should be a valid string') })
}

/** Fields and no others. */
export function strictFields<T extends z.core.$ZodShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const message = `Unknown members; expected are ${Object.keys(shape).join(', ')}`
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? message : undefined) })
}

/** A schema of ours as JSON Schema, for the documentation. */
export function describeFields(schema: z.ZodType): JsonObject {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' })
  return described
}

/**
 * The faults of a body by a schema of ours, or what it holds. Messages are the schema's own; the input is not repeated.
 */
export function checkFields<T extends z.ZodType>(
  schema: T,
  body: JsonObject,
): { readonly errors: readonly FieldError[]; readonly fields?: z.output<T> } {
  const result = schema.safeParse(body)
  if (result.success) return { errors: [], fields: result.data }
  const errors = result.error.issues.map(({ path, message }) => ({
    loc: ['body', ...path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
    msg: message,
    type: typeOf(message),
  }))
  return { errors }
}

/** @throws {ProblemError} 422 with all faults, when there are any */
export function refuseFaults(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new ProblemError('unprocessable_content', errors.map(sentenceOf).join('; '), { errors })
}

function sentenceOf({ loc, msg }: FieldError): string {
  const name = loc.slice(1).join('.')
  return name === '' ? msg : `${name}: ${msg}`
}

/** The names that Pydantic gives these faults. */
function typeOf(message: string): string {
  if (message === 'Field required') return 'missing'
  if (message === 'Input should be a valid string') return 'string_type'
  if (message.startsWith('Unknown members')) return 'extra_forbidden'
  return 'value_error'
}
