// The templates in which OpenAPI writes paths, such as `/items/{id}`.

const inBraces = String.raw`\{(?:[^{}]|\{[^{}]*\})*\}` // `{[0-9]{2}}`, with one more level inside
const inParentheses = String.raw`\((?:[^()]|\([^()]*\))*\)` // `(\d+)`, likewise

/** A parameter that a request must have: `:id`, `:id{[0-9]+}` or `:id(\\d+)`, but not `:id?`. */
const parameter = new RegExp(String.raw`:(\w+)(?:${inBraces}|${inParentheses})?(?![?*+])`, 'g')

/**
 * Converts the path of a route to an OpenAPI template: `:id` and `:id{[0-9]+}` become `{id}`.
 * Returns `undefined` for wildcards, optional parts and regular expressions, because OpenAPI does
 * not have them.
 */
export function templateOf(path: string): string | undefined {
  if (/[*?+()[\]{}\\:|]/.test(path.replace(parameter, ''))) return undefined
  return path.replace(parameter, '{$1}') || '/'
}

/** Returns a template without the names of its parameters and without a slash at the end. */
export function shapeOf(template: string): string {
  return withoutSlash(namelessOf(template))
}

/** Returns a template without the names of its parameters: `/items/{}`. */
export function namelessOf(template: string): string {
  return template.replace(/\{[^}]*\}/g, '{}')
}

/** Removes the slash at the end of a path; `/` stays. */
export function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/$/, '')
}
