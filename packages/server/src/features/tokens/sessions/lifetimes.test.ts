import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  accessTokenSecondsAt,
  defaultLifetimes,
  idleExpiryAt,
  maxAccessTokenSeconds,
} from './lifetimes.ts'

describe('maxAccessTokenSeconds', () => {
  it('the longest lifetime of an access token (maxAccessTokenSeconds) is 24 hours', () => {
    assert.equal(maxAccessTokenSeconds, 86_400)
  })
})

describe('defaultLifetimes', () => {
  it('by default, a session lasts 30 days, and 14 days without a refresh', () => {
    assert.equal(defaultLifetimes.sessionSeconds, 2_592_000)
    assert.equal(defaultLifetimes.idleSeconds, 1_209_600)
  })
})

describe('the expiry of a session and of its access tokens', () => {
  const now = 1_000_000

  it('accessTokenSecondsAt rounds down, and a token never outlives its session', () => {
    const seconds = (expiresAt: number): number =>
      accessTokenSecondsAt(now, expiresAt, defaultLifetimes)
    assert.deepEqual(
      [600_000, 599_999, 1_999].map((left) => seconds(now + left)),
      [600, 599, 1],
    )
    assert.equal(seconds(now + 9_000_000), 600)
  })

  it('idleExpiryAt adds the idle time, but never exceeds the expiry of the session', () => {
    const lifetimes = { ...defaultLifetimes, idleSeconds: 60 }
    assert.equal(idleExpiryAt(now, now + 70_000, lifetimes), now + 60_000)
    assert.equal(idleExpiryAt(now, now + 50_000, lifetimes), now + 50_000)
  })
})
