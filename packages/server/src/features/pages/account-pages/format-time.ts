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

/**
 * Returns a time of the last 24 hours as a distance, such as `3 minutes ago`, which needs no time
 * zone. Returns an older one, or one in the future, as `formatTime` does.
 */
export function formatRecent(at: string, language: string, now: number): string {
  const seconds = Math.floor((now - new Date(at).getTime()) / 1000)
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600)]
  if (seconds < 0 || hours >= 24) return formatTime(at, language, 'minutes')

  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  if (minutes < 1) return format.format(0, 'second')
  return minutes < 60 ? format.format(-minutes, 'minute') : format.format(-hours, 'hour')
}
