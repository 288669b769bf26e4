/**
 * Refuses options that would silently check nothing: a misspelt one, and one whose value is
 * undefined, such as `{ scopes: config.adminScopes }` if the configuration has no such member.
 * TypeScript accepts both when an object is spread or kept in a variable.
 *
 * @param taker the function that takes the options, for the message
 * @throws {TypeError} which never repeats a value
 */
export function requireKnownOptions(
  taker: string,
  options: unknown,
  known: readonly string[],
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${taker} takes an object of options: ${known.join(', ')}`)
  }
  // An instance of the app's own class may have other members.
  const isPlain = [Object.prototype, null].includes(Reflect.getPrototypeOf(options))
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      if (!isPlain) continue
      throw new TypeError(`${taker} has no option \`${name}\`; its options are ${known.join(', ')}`)
    }
    if (value === undefined) {
      throw new TypeError(
        `the option \`${name}\` of ${taker} is undefined: leave it out, or give it a value`,
      )
    }
  }
}
