import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { Identity } from 'keystile'
import { TokenError, type HttpAnswer } from 'keystile/internal'
import type { AuditEntry } from '../../operations/audit/entry.ts'
import { noLimits } from '../../operations/limits/limits.ts'
import type { ProvedRefreshToken } from '../sessions/refresh.ts'
import { revokeRoute } from './revoke.ts'

const refreshToken: ProvedRefreshToken = {
  token: { id: 'id', secret: 'secret' },
  sessionId: 'sid-1',
  subject: 'ada',
  clientId: 'first-party',
  scopes: [],
  isOld: false,
}
const identity = {
  subject: 'ada',
  clientId: 'first-party',
  sessionId: 'sid-2',
  scopes: [],
  claims: {},
} as const

describe('POST /revoke', () => {
  const recorded: Omit<AuditEntry, 'at'>[] = []
  beforeEach(() => void recorded.splice(0))
  /** Sends a token. Returns the answer, and the ids of the sessions that the request ended. */
  async function revoke(
    found: ProvedRefreshToken | undefined,
    verified: Identity | Error,
  ): Promise<{ readonly answer: HttpAnswer; readonly ended: readonly string[] }> {
    const ended: string[] = []
    const route = revokeRoute({
      clients: { find: async () => undefined },
      refresher: { find: async () => found },
      ends: { end: async (id) => ended.push(id) > 0 },
      verifier: {
        async verify() {
          if (verified instanceof Error) throw verified
          return verified
        },
      },
      audit: { record: async (entry) => void recorded.push(entry) },
      limits: noLimits,
    })
    const answer = await route.handle({
      method: 'POST',
      url: '/revoke',
      remoteAddress: '192.0.2.1',
      headers: new Headers({ 'content-type': 'application/x-www-form-urlencoded' }),
      body: async () => Buffer.from('token=x'),
      params: {},
    })
    return { answer, ended }
  }
  const noToken = new TokenError('invalid_token', 'Invalid token')

  it('POST /revoke ends the session of a refresh token or an access token', async () => {
    assert.deepEqual((await revoke(refreshToken, noToken)).ended, ['sid-1'])
    assert.deepEqual((await revoke(undefined, identity as never)).ended, ['sid-2'])
  })

  it('a revocation of another client’s token is refused and audited (RFC 7009 §2.1)', async () => {
    const others = { name: 'OAuthError', code: 'invalid_grant', status: 400 }
    await assert.rejects(revoke({ ...refreshToken, clientId: 'other' }, noToken), others)
    await assert.rejects(revoke(undefined, { ...identity, clientId: 'other' } as never), others)
    const line = {
      event: 'revocation_refused',
      by: { actor: 'nobody', address: '192.0.2.1' },
      subject: 'ada',
      clientId: 'first-party',
    }
    assert.deepEqual(recorded, [
      { ...line, sessionId: 'sid-1' },
      { ...line, sessionId: 'sid-2' },
    ])
  })

  it('POST /revoke returns 200 for text that is not a token', async () => {
    const { answer, ended } = await revoke(undefined, noToken)
    assert.deepEqual([answer.status, ended], [200, []])
  })

  it('POST /revoke refuses a token that has no session (RFC 7009 §2.2.1)', async () => {
    const { sessionId: _, ...machine } = identity
    await assert.rejects(revoke(undefined, machine as never), {
      code: 'unsupported_token_type',
      status: 400,
    })
  })

  it('POST /revoke returns 503 if it cannot check the token (RFC 7009 §2.2.1)', async () => {
    const away = new TokenError('temporarily_unavailable', 'Not now', { retryAfterSeconds: 7 })
    await assert.rejects(revoke(undefined, away), {
      name: 'OAuthError',
      code: 'temporarily_unavailable',
      retryAfterSeconds: 7,
    })
    await assert.rejects(revoke(undefined, new Error('a bug')), /a bug/)
  })
})
