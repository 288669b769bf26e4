/**
 * How messages name settings, and how they say to set one: as an app does, or as an operator does.
 */
export interface Wording {
  /**
   * The setting as it was given: `key` in an app, `KEYSTILE_KEY` or `--key` in the stand-alone
   * server.
   */
  name(setting: string): string
  /** The instruction that sets it: `set rateLimits: 'on'`, or `set KEYSTILE_RATE_LIMITS=on`. */
  set(setting: string, value: WordedValue): string
  /** The instruction that gives it, without a value: `pass it as key`, or `set KEYSTILE_KEY`. */
  provide(setting: string): string
}

/** A value that a message proposes. */
export type WordedValue = string | number | boolean | readonly string[]

/** The wording for apps, whose settings are options of `createKeystile`. */
export const appWording: Wording = {
  name: (setting) => setting,
  set: (setting, value) => `set ${setting}: ${literalOf(value)}`,
  provide: (setting) => `pass it as ${setting}`,
}

function literalOf(value: WordedValue): string {
  if (typeof value === 'object') return `[${value.map(literalOf).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

const maxShownLength = 80

/**
 * A value as a message may show it: without a URL's user, query and fragment, escaped, and at most
 * 80 characters. Does NOT know secrets: the value of a secret setting must not be shown at all.
 */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? withoutCredentials(value) : String(value)
  const printable = text.replace(
    /[^\x20-\x7e…]/gu,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`,
  )
  const short =
    printable.length > maxShownLength - 2 ? `${printable.slice(0, maxShownLength - 3)}…` : printable
  return typeof value === 'string' ? `"${short}"` : short
}

/**
 * What looks like a URL and cannot be read might hold a password anywhere, so only its scheme is
 * kept.
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
