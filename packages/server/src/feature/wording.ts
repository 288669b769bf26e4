/**
 * How messages name settings. A developer passes options to `createKeystile()`. An operator sets
 * environment variables and flags. The messages for a developer name the options, and the messages
 * for an operator name the variables and flags.
 */
export interface Wording {
  /**
   * Returns the name of a setting: `key` in an app, `KEYSTILE_KEY` or `--key` in the stand-alone
   * server.
   */
  name(setting: string): string
  /**
   * Returns the instruction to set a value: `set rateLimits: 'on'`, or
   * `set KEYSTILE_RATE_LIMITS=on`.
   */
  set(setting: string, value: WordedValue): string
  /**
   * Returns an instruction that names a setting but proposes no value, such as `pass it as key` or
   * `set KEYSTILE_KEY`.
   */
  provide(setting: string): string
}

/** A value of a setting that a message can propose. */
export type WordedValue = string | number | boolean | readonly string[]

/** The wording for developers. */
export const appWording: Wording = {
  name: (setting) => setting,
  set: (setting, value) => `set ${setting}: ${literalOf(value)}`,
  provide: (setting) => `pass it as ${setting}`,
}

function literalOf(value: WordedValue): string {
  if (typeof value === 'object') return `[${value.map(literalOf).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}
