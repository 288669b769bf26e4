import { isJsonObject, type JsonObject } from '../base/json.ts'

/**
 * Returns the given object. If it has a `$ref`, returns the object that the `$ref` names in this
 * document. Returns `undefined` if the value is not an object, if the `$ref` names no object of
 * this document, or if the named object also has a `$ref`.
 */
export function resolve(value: unknown, document: object): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined
  const reference = value['$ref']
  if (typeof reference !== 'string') return value
  if (!reference.startsWith('#/')) return undefined

  const found = reference
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (at, part) =>
        isJsonObject(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined,
      document,
    )
  return isJsonObject(found) && !('$ref' in found) ? found : undefined
}
