// Checks the options that an app passes, and describes a wrong one without its value.
import { findNearest, listKnown } from './nearest.ts'

/**
 * Refuses an option with a misspelt name, and an option with the value undefined. Both mistakes
 * would silently disable a check: for example `{ scopes: config.adminScopes }` if the configuration
 * has no `adminScopes`. TypeScript accepts both mistakes if the object was spread or stored in a
 * variable.
 *
 * @param taker the name of the function that takes the options. The message contains this name
 * @throws {TypeError} The message never repeats a value
 */
export function requireKnownOptions(
  taker: string,
  options: unknown,
  known: readonly string[],
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `the options of ${taker} must be an object with any of these: ${known.join(', ')}`,
    )
  }

  // If the app passes an instance of its own class, that instance may have other members.
  const isPlain = [Object.prototype, null].includes(Reflect.getPrototypeOf(options))
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      if (!isPlain) continue
      const nearest = findNearest(name, known)
      const quoted = nearest === undefined ? undefined : `\`${nearest}\``
      throw new TypeError(
        `${taker} has no option \`${name}\`; ` +
          listKnown(quoted, `its options are ${known.join(', ')}`),
      )
    }
    if (value === undefined) {
      throw new TypeError(
        `the option \`${name}\` of ${taker} is undefined: leave it out, or give it a value`,
      )
    }
  }
}

/**
 * Returns the message for a caller that passed the promise of `createKeystile()` instead of its
 * result.
 */
export function notAwaited(taker: string): string {
  return (
    `the argument of ${taker}() must be the object from createKeystile(); it is a promise. ` +
    `Fix: ${taker}(await createKeystile(…))`
  )
}

/**
 * Describes a wrong value for an error message. Shows numbers, null and undefined as they are, but
 * never the text of a string, which may be a secret.
 */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value)
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
