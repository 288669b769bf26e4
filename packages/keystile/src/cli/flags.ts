import { parseArgs } from 'node:util'
import { unknownFlag } from '../base/nearest.ts'

/** The flags of a command, in the form that `parseArgs` of Node takes. */
export type FlagTypes = Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: boolean }>
>

/** Thrown if a command is called wrongly. The message never contains the value of a flag. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Parses flags. For an unknown flag, the error suggests the most similar known flag.
 *
 * @throws {UsageError} for an unknown flag, an argument that is not a flag, and a flag without its
 *   value
 */
export function parseFlags(
  args: readonly string[],
  types: FlagTypes,
): Readonly<Record<string, unknown>> {
  const options = { ...types }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new UsageError(
        'each argument of `token check` must be a flag or its value; one is not. ' +
          'Fix: pass the token on standard input',
      )
    }
    if (token.kind === 'option' && !Object.hasOwn(types, token.name))
      throw new UsageError(unknownFlag(token.rawName, Object.keys(types)))
    if (
      token.kind === 'option' &&
      types[token.name]?.type === 'string' &&
      token.value === undefined
    )
      throw new UsageError(`${token.rawName} must be followed by its value`)
  }

  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    // Keeps only the first sentence of Node's message: the other sentences explain options of Node.
    throw new UsageError(error instanceof Error ? error.message.split('. ')[0] : String(error))
  }
}
