// Times on pages. They are in UTC, because the time zone of the reader is unknown.

/** Returns a time in a language: the day, such as `2 December 2026`, or also the minute. */
export function formatTime(at: string, language: string, precision: 'days' | 'minutes'): string {
  // `en` alone would be American English, with the month before the day.
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'long',
    ...(precision === 'minutes' && { timeStyle: 'short' }),
    timeZone: 'UTC',
  })
  const text = format.format(new Date(at))
  return precision === 'minutes' ? `${text} UTC` : text
}

/**
 * Returns a time of the last 24 hours as a distance, such as `3 minutes ago`. Returns an older one,
 * or one in the future, as `formatTime` does.
 */
export function formatRecent(at: string, language: string, now: number): string {
  const seconds = Math.floor((now - new Date(at).getTime()) / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (seconds < 0 || hours >= 24) return formatTime(at, language, 'minutes')

  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  if (minutes < 1) return format.format(0, 'second')
  return minutes < 60 ? format.format(-minutes, 'minute') : format.format(-hours, 'hour')
}
