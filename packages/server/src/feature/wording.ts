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

export type WordedValue = string | number | boolean | readonly string[]

export const appWording: Wording = {
  name: (setting) => setting,
  set: (setting, value) => `set ${setting}: ${literalOf(value)}`,
  provide: (setting) => `pass it as ${setting}`,
}

function literalOf(value: WordedValue): string {
  if (typeof value === 'object') return `[${value.map(literalOf).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** Returns a number with its noun: `0 mails`, `1 mail`. */
export function countOf(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/**
 * The largest number of characters of a value that a message shows. That is enough to recognise the
 * value, and short enough for one line of a terminal.
 */
const maxShownLength = 80

/**
 * Returns a value as a message may show it: escaped, at most 80 characters long, and without the
 * user name, password, query and fragment of a URL. Does NOT recognise secrets: never pass the
 * value of a secret setting.
 */
export function show(value: unknown): string {
  return typeof value === 'string' ? showTyped(withoutCredentials(value)) : clip(String(value))
}

/** Like `show()`, but keeps all of a URL. Only for a text that has no password. */
export function showTyped(text: string): string {
  return `"${clip(text)}"`
}

function clip(text: string): string {
  const printable = text.replace(
    /[^\x20-\x7e…]/gu,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`,
  )
  const isLong = printable.length > maxShownLength - '""'.length
  return isLong ? `${printable.slice(0, maxShownLength - '""…'.length)}…` : printable
}

/**
 * Removes the user name, password, query and fragment of a URL. If a string looks like a URL but is
 * not valid, a password may be anywhere in the string, so this function returns only the scheme.
 */
function withoutCredentials(text: string): string {
  if (!/[@?#]|:\/\//.test(text)) return text

  const scheme = /^[a-z][a-z\d+.-]*:(?:\/\/)?/i.exec(text)?.[0] ?? ''
  if (!URL.canParse(text)) return `${scheme}…`

  const { protocol, host, pathname } = new URL(text)
  if (pathname.includes('@')) return `${scheme}…`

  const path = pathname === '/' && !/[^/]\/(?:[?#]|$)/.test(text) ? '' : pathname
  return `${protocol}${text.includes('://') ? '//' : ''}${host}${path}`
}
