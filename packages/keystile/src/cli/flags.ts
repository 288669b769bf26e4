import { parseArgs } from 'node:util'
import { unknownFlag } from '../base/nearest.ts'

/** The flags of a command, in the form that `parseArgs` of Node takes. */
export type FlagTypes = Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: boolean }>
>

/** The values of flags. A name that is not among the flags does not compile. */
export type FlagValues<Types extends FlagTypes> = {
  readonly [Name in keyof Types]?: string | boolean | readonly (string | boolean)[] | undefined
}

/** Thrown if a command is called wrongly. The message never contains the value of a flag. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Parses the flags of `token check`, the only command here that has flags. For an unknown flag, the
 * error suggests the most similar known flag.
 *
 * @throws {UsageError} for an unknown flag, an argument that is not a flag, and a flag without its
 *   value
 */
export function parseFlags<Types extends FlagTypes>(
  args: readonly string[],
  types: Types,
): FlagValues<Types> {
  const options = { ...types }
  const joined = [...joinValues(args, types)]
  // The first pass finds what the second refuses, for messages that are better than those of Node.
  const { tokens } = parseArgs({ args: joined, options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new UsageError(
        'each argument of `token check` must be a flag or its value; one is not. ' +
          'Fix: pass the token on standard input',
      )
    }
    if (token.kind === 'option' && !Object.hasOwn(types, token.name))
      throw new UsageError(unknownFlag(token.rawName, Object.keys(types)))
  }

  try {
    return parseArgs({ args: joined, options }).values
  } catch (error) {
    // Keeps only the first sentence of Node's message: the other sentences explain options of Node.
    throw new UsageError(error instanceof Error ? error.message.split('. ')[0] : String(error))
  }
}

/**
 * Joins each flag with its value, as in `--id=-a1b`. Node refuses a separate value that begins with
 * a hyphen, and an id may begin with one, because it is random. A known flag is not a value.
 *
 * @throws {UsageError} for a flag without its value
 */
export function joinValues(args: readonly string[], types: FlagTypes): readonly string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const typeOf = (word: string): string | undefined =>
    word.startsWith('--') && Object.hasOwn(types, word.slice(2))
      ? types[word.slice(2)]?.type
      : undefined

  const joined: string[] = []
  for (let i = 0; i < end; i++) {
    const word = args[i] ?? ''
    if (typeOf(word) !== 'string') {
      joined.push(word)
      continue
    }
    i += 1
    const value = i < end ? args[i] : undefined
    if (value === undefined || typeOf(value.replace(/=.*/s, '')) !== undefined)
      throw new UsageError(`${word} must be followed by its value`)
    joined.push(`${word}=${value}`)
  }
  return [...joined, ...args.slice(end)]
}
