export type JsonObject = { readonly [member: string]: unknown }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns a string member of a JSON object. @throws {Error} when there is none */
export function stringMember(value: unknown, name: string): string {
  const member = isJsonObject(value) ? value[name] : undefined
  if (typeof member !== 'string')
    throw new Error(`"${name}" must be a string in ${JSON.stringify(value)}`)
  return member
}
