/**
 * Refuses options that would silently check nothing: one that is misspelt, and one that is there without a value, as
 * `{ scopes: config.adminScopes }` is where the configuration has no such member. TypeScript lets both through when an
 * object is spread or kept in a variable.
 *
 * @param taker the function that takes them, for the message
 * @throws {TypeError} which never repeats a value
 */
export function requireKnownOptions(taker: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${taker} takes an object of options: ${known.join(', ')}`)
  }
  // An instance of a class of the app's own may have members that are no options.
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(options) as object | null)
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      if (!isPlain) continue
      throw new TypeError(`${taker} has no option \`${name}\`; its options are ${known.join(', ')}`)
    }
    if (value === undefined) {
      throw new TypeError(`the option \`${name}\` of ${taker} is undefined: leave it out, or give it a value`)
    }
  }
}
