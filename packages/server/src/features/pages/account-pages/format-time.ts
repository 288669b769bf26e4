/** Returns a time in a language, in UTC, because the time zone of the reader is unknown. */
export function formatTime(at: string, language: string, until: 'days' | 'minutes'): string {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'long',
    ...(until === 'minutes' && { timeStyle: 'short' }),
    timeZone: 'UTC',
  })
  const text = format.format(new Date(at))
  return until === 'minutes' ? `${text} UTC` : text
}
