// Schemas and parsers that several settings share.
import * as z from 'zod'

export const daySeconds: number = 24 * 60 * 60

export const filledString: z.ZodType<string> = z
  .string({ error: 'must be a string' })
  .min(1, { error: 'must not be empty' })

export const trueOrFalse: z.ZodType<boolean> = z.boolean({ error: 'must be true or false' })

export const onOrOff: z.ZodType<'on' | 'off'> = z.enum(['on', 'off'], {
  error: 'must be on or off',
})

/**
 * Returns a schema for a whole number from `min` to `max`.
 *
 * @param options.of the text that follows "must be a whole number" in the message, for example
 *   ` of seconds`
 * @param options.why the reason for `min`, at the end of the message about a number below `min`
 */
export function wholeNumber(
  min: number,
  max: number,
  { of = '', why = '' }: { readonly of?: string; readonly why?: string } = {},
): z.ZodType<number> {
  return z
    .int({ error: `must be a whole number${of} from ${min} to ${max}` })
    .min(min, { error: `must be at least ${min}${why}` })
    .max(max, { error: `must be at most ${max}` })
}

/** Returns a schema for a whole number of seconds. */
export function seconds(min: number, max: number): z.ZodType<number> {
  return wholeNumber(min, max, { of: ' of seconds' })
}

/** Parses a whole number of 1 to 9 digits. @throws {TypeError} for any other string */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError('must be a whole number')
  return Number(text)
}

/** Parses `true` and `false`. @throws {TypeError} for any other string */
export function parseBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new TypeError('must be true or false')
  return text === 'true'
}

/** Parses a list of items that are separated by commas. `none` means an empty list. */
export function parseList(text: string): readonly string[] {
  return text === 'none' ? [] : text.split(',').map((item) => item.trim())
}
