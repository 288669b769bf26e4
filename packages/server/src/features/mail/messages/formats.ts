// How mails write codes, times and durations.
import type { Language } from './message.ts'

/** Writes a code as people read it: `12345678` becomes `1234 5678`. */
export function groupDigits(code: string): string {
  return code.replace(/^(\d{4})(\d{4})$/, '$1 $2')
}

/** Returns the time in a language, in UTC, because the time zone of the user is unknown. */
export function timeOf(at: Date, language: Language): string {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  return `${format.format(at)} UTC`
}

/** Returns a duration in a language, rounded to minutes, hours or days. */
export function durationOf(milliseconds: number, language: Language): string {
  const format = (value: number, unit: 'minute' | 'hour' | 'day'): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value)

  const minutes = Math.max(1, Math.round(milliseconds / 60_000))
  if (minutes < 2 * 60) return format(minutes, 'minute')
  if (minutes < 48 * 60) return format(Math.round(minutes / 60), 'hour')
  return format(Math.round(minutes / (24 * 60)), 'day')
}
