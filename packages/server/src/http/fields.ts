// Schemas of the members of a body.
import type { JsonObject } from 'keystile/internal'
import * as z from 'zod'

/** Returns a schema for a string field. Its error messages are those of FastAPI. */
export function stringField(): z.ZodString {
  return z.string({
    error: ({ input }) =>
      input === undefined ? 'Field required' : 'Input should be a valid string',
  })
}

/** Returns a schema for a field with a number of seconds, of at most nine digits. */
export function secondsField(): z.ZodInt {
  return z.int('Input should be a valid integer').min(0).max(999_999_999)
}

/** Returns a schema for an object with these fields. The schema refuses all other fields. */
export function strictFields<T extends z.core.$ZodShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const message = `Unknown members; expected are ${Object.keys(shape).join(', ')}`
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? message : undefined),
  })
}

/** Returns the JSON Schema of a body, for the OpenAPI document. */
export function describeFields(schema: z.ZodType): JsonObject {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' })
  return described
}
