// What the profile schema of an app says as JSON Schema: for the OpenAPI document, for the forms of
// the pages, and to find fields with reserved names.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonObject } from 'keystile/internal'
import { isReservedName, reservedNames, type ProfileSchema } from './profile.ts'

/**
 * Returns the reserved names that a schema uses. The list is empty if the schema cannot be
 * converted to JSON Schema.
 */
export function findReservedFields(schema: ProfileSchema): readonly string[] {
  const sides = ['input', 'output'] as const
  const names = sides.flatMap((side) => fieldNamesOf(describeProfile(schema, side)))
  return [...new Set(names)].filter(isReservedName)
}

/**
 * Returns the field names of a JSON Schema, including the field names in `allOf`, `anyOf` and
 * `oneOf`.
 */
function fieldNamesOf(schema: JsonObject): readonly string[] {
  type Parts = Partial<Record<'allOf' | 'anyOf' | 'oneOf', readonly JsonObject[]>>
  type Fields = Parts & { readonly properties?: object }
  const { properties = {}, allOf = [], anyOf = [], oneOf = [] } = schema as Fields
  return [...Object.keys(properties), ...[...allOf, ...anyOf, ...oneOf].flatMap(fieldNamesOf)]
}

/**
 * Returns the JSON Schema of a profile, for the OpenAPI document. If the schema cannot be
 * converted, the JSON Schema allows any object.
 */
export function describeProfile(
  schema: ProfileSchema | undefined,
  side: 'input' | 'output',
): JsonObject {
  if (!schema) return { type: 'object', properties: {}, additionalProperties: false }
  const standard = schema['~standard'] as StandardSchemaV1.Props & {
    readonly jsonSchema?: Readonly<
      Record<typeof side, (options: { readonly target: string }) => JsonObject>
    >
  }
  try {
    return standard.jsonSchema?.[side]({ target: 'draft-2020-12' }) ?? { type: 'object' }
  } catch {
    return { type: 'object' } // the library throws for a schema that JSON Schema cannot express
  }
}

/**
 * Returns the JSON Schema of the profile fields that a request body may have, for the OpenAPI
 * document.
 *
 * @param ownFields fields with reserved names that the body may have besides the profile
 */
export function describeProfileInput(
  schema: ProfileSchema | undefined,
  ownFields: readonly string[],
): JsonObject {
  const described = describeProfile(schema, 'input')
  if (!schema) return described
  const names = [...reservedNames].filter((name) => !ownFields.includes(name))
  const { allOf = [] } = described as { readonly allOf?: readonly JsonObject[] }
  return { ...described, allOf: [...allOf, { propertyNames: { not: { enum: names } } }] }
}
