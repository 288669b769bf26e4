import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatRecent } from './format-time.ts'

describe('formatRecent', () => {
  const now = Date.parse('2026-12-02T15:00:00Z')
  const before = (seconds: number, language: string): string =>
    formatRecent(new Date(now - seconds * 1000).toISOString(), language, now)

  it('writes a time of the last 24 hours as a distance, in each language', () => {
    for (const [seconds, ...texts] of [
      [59, 'now', 'jetzt', 'maintenant', 'ahora'],
      [60, '1 minute ago', 'vor 1 Minute', 'il y a 1 minute', 'hace 1 minuto'],
      [3_599, '59 minutes ago', 'vor 59 Minuten', 'il y a 59 minutes', 'hace 59 minutos'],
      [86_399, '23 hours ago', 'vor 23 Stunden', 'il y a 23 heures', 'hace 23 horas'],
    ] as const)
      assert.deepEqual(
        ['en', 'de', 'fr', 'es'].map((language) => before(seconds, language)),
        texts,
      )
  })

  it('writes an older time, and one of a clock that is ahead, with the date', () => {
    assert.equal(before(86_400, 'en'), '1 December 2026 at 15:00 UTC')
    assert.equal(before(-60, 'en'), '2 December 2026 at 15:01 UTC')
  })
})
