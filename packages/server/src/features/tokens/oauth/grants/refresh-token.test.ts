import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { AuditEntry } from '../../../operations/audit/entry.ts'
import { noLimits } from '../../../operations/limits/limits.ts'
import { firstParty, type Client } from '../../clients/clients.ts'
import type { IssuedTokens } from '../../sessions/issuing.ts'
import type { ProvedRefreshToken } from '../../sessions/refresh.ts'
import { passwordGrant } from './password.ts'
import { refreshTokenGrant, type RefreshParts } from './refresh-token.ts'

interface Person {
  readonly held: readonly string[]
}

const proved: ProvedRefreshToken = {
  token: { id: 'id', secret: 'secret' },
  sessionId: 'sid',
  subject: 'ada',
  clientId: 'first-party',
  scopes: ['a', 'b'],
  isOld: false,
}
const rules = { declared: { a: 'A', b: 'B', c: 'C' }, defaults: [], roles: {} }

describe('refreshTokenGrant', () => {
  const recorded: Omit<AuditEntry, 'at'>[] = []
  beforeEach(() => void recorded.splice(0))
  /** Returns the scopes of each token that the grant used. */
  const grant = async (
    found: ProvedRefreshToken | undefined,
    {
      user,
      scope,
      client = firstParty.id,
      allowed = 'all',
    }: { user?: Person; scope?: string; client?: string; allowed?: Client['scopes'] },
  ): Promise<readonly (readonly string[])[]> => {
    const used: (readonly string[])[] = []
    const directory = { findActive: async () => user, scopes: () => user?.held ?? [] }
    const refresher = {
      find: async () => found,
      async use(_proved: ProvedRefreshToken, scopes: readonly string[]): Promise<IssuedTokens> {
        used.push(scopes)
        return { accessToken: 'a', refreshToken: 'r', expiresInSeconds: 1, scopes }
      },
    }
    const audit = { record: async (entry: Omit<AuditEntry, 'at'>) => void recorded.push(entry) }
    const parts = { directory, refresher, scopes: rules, audit, limits: noLimits }
    const caller = { ...firstParty, id: client, scopes: allowed, device: undefined }
    const granted = refreshTokenGrant.issue(
      { refresh_token: 'x', scope },
      { ...caller, address: '192.0.2.1' },
      parts,
    )
    await granted.catch((error: unknown) => assert.equal(used.length, 0, String(error)))
    await granted
    return used
  }
  const user = { held: ['a', 'b', 'c'] }
  const invalid = { name: 'OAuthError', code: 'invalid_grant' }

  it('a refresh with another client’s token is refused and audited (RFC 6749 §5.2)', async () => {
    const other = { ...invalid, reason: 'wrong_client' }
    await assert.rejects(grant(proved, { user, client: 'other' }), other)
    await assert.rejects(grant({ ...proved, clientId: 'other' }, { user }), other)
    const line = {
      event: 'refresh_refused',
      by: { actor: 'nobody', address: '192.0.2.1' },
      subject: 'ada',
      sessionId: 'sid',
    }
    assert.deepEqual(recorded, [
      { ...line, clientId: 'other' },
      { ...line, clientId: 'first-party' },
    ])
  })

  it('the refresh grant refuses an unknown token, and the token of a disabled user', async () => {
    await assert.rejects(grant(undefined, { user }), { ...invalid, reason: 'unknown_token' })
    await assert.rejects(grant(proved, {}), { ...invalid, reason: 'unknown_user' })
  })

  it('if a form lacks a required parameter, the error names all required parameters', async () => {
    const [caller, parts] = [{ ...firstParty, device: undefined, address: undefined }, {}]
    await assert.rejects(refreshTokenGrant.issue({}, caller, parts as RefreshParts), {
      code: 'invalid_request',
      message: 'The form must have refresh_token',
    })
    await assert.rejects(passwordGrant.issue({ username: 'x' }, caller, parts as never), {
      code: 'invalid_request',
      message: 'The form must have username and password',
    })
  })

  it('a refresh gives a scope only if session, user, client and request include it', async () => {
    assert.deepEqual(await grant(proved, { user }), [['a', 'b']])
    assert.deepEqual(await grant(proved, { user: { held: ['b', 'c'] } }), [['b']])
    assert.deepEqual(await grant(proved, { user, scope: 'c a' }), [['a']])
    assert.deepEqual(await grant(proved, { user, scope: 'c' }), [[]])
    assert.deepEqual(await grant(proved, { user, allowed: ['b'] }), [['b']])
    await assert.rejects(grant(proved, { user, scope: 'd' }), { code: 'invalid_scope' })
  })
})
