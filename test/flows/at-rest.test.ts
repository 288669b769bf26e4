import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  decodeJwtUnsafe,
  exportPrivateJwk,
  generateKey,
  importJwkSet,
  verifyJwt,
} from 'keystile/jwt'
import {
  describeOnBoth,
  issuer,
  password,
  startKeystile,
} from '../../packages/server/test-support/keystile.ts'

describeOnBoth('a restart', (stage) => {
  it('users, sessions and keys still exist after a restart', async () => {
    const before = await stage.start()
    const bearer = await before.accessToken()
    await before.keystile.close()
    const after = await stage.start()
    assert.equal((await after.send('GET', '/users/me', { bearer })).status, 200)
    assert.equal((await after.login()).status, 200)
  })

  it('Keystile does not start with another issuer, which would log out all users', async () => {
    await stage.start()
    await assert.rejects(stage.start({ issuer: 'http://localhost:4000' }), (error: Error) => {
      assert.ok(error instanceof TypeError)
      assert.match(error.message, /belongs to the issuer http:\/\/localhost:3000\/auth/)
      return true
    })
  })

  it('Keystile does not start with another key for encryption', async () => {
    await stage.start()
    await assert.rejects(
      stage.start({ key: 'another sealing key: 9876543210 zyxwvu' }),
      /key must be the key that encrypted the signing keys in this database; it is a different one/,
    )
  })

  it('four processes create only one signing key if they start simultaneously', async () => {
    // The first start creates the database. Then four starts try to create a key at the same time.
    const first = await stage.start()
    await first.keystile.close()
    await stage.sql('delete from signing_key')
    const all = await Promise.all(Array.from({ length: 4 }, () => stage.start()))
    const [row] = await stage.sql('select count(*) as keys from signing_key')
    assert.equal(Number(row!['keys']), 1)
    const kids = await Promise.all(
      all.map(
        async ({ send }) => (await send('GET', '/.well-known/jwks.json')).json['keys'][0].kid,
      ),
    )
    assert.equal(new Set(kids).size, 1)
  })

  it('the configured signing key signs tokens and is published', async () => {
    const signingKey = exportPrivateJwk(generateKey('EdDSA', { keyId: 'ours' }))
    const { accessToken, send } = await stage.start({ signingKey })
    const token = await accessToken()
    assert.deepEqual(decodeJwtUnsafe(token).header, { alg: 'EdDSA', kid: 'ours', typ: 'at+jwt' })
    const { json } = await send('GET', '/.well-known/jwks.json')
    assert.deepEqual(json, {
      keys: [
        { kty: 'OKP', crv: 'Ed25519', x: signingKey['x'], kid: 'ours', alg: 'EdDSA', use: 'sig' },
      ],
    })
    assert.equal((await send('GET', '/users/me', { bearer: token })).status, 200)
  })
})

describeOnBoth('the published keys', (stage) => {
  for (const signingAlgorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
    it(`the published ${signingAlgorithm} keys have no private parts (RFC 7517 §4)`, async () => {
      const { accessToken, send } = await stage.start({ signingAlgorithm })
      const token = await accessToken()
      const { status, headers, json } = await send('GET', '/.well-known/jwks.json')
      assert.equal(status, 200)
      assert.equal(headers.get('cache-control'), 'public, max-age=300')
      for (const jwk of json['keys']) {
        assert.deepEqual([jwk.alg, jwk.use, typeof jwk.kid], [signingAlgorithm, 'sig', 'string'])
        for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
          assert.ok(!(secret in jwk), secret)
      }
      assert.equal(
        verifyJwt(token, importJwkSet(json), { issuer, audience: issuer, type: 'at+jwt' }).iss,
        issuer,
      )
    })
  }
})

describe('a SQLite database on disk', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-rest-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const database = (): string => join(folder, 'data', 'keystile.db')

  it('no file of a SQLite database contains a readable secret', async () => {
    const { tokens, refresh, keystile } = await startKeystile({
      database: database(),
      key: undefined as never,
    })
    const { accessToken: token, refreshToken: first } = await tokens()
    // One used refresh token, whose successor is stored, and one unused refresh token.
    const refreshTokens = [first, (await refresh(first)).json['refresh_token'] as string]
    const refreshSecrets = refreshTokens.flatMap((text) => {
      const secret = text.split('.')[1]!
      const bytes = Buffer.from(secret, 'base64url')
      return [
        text,
        secret,
        bytes.toString('latin1'),
        bytes.toString('hex'),
        bytes.toString('base64').slice(0, 42),
      ]
    })
    const files = readdirSync(join(folder, 'data'))
    assert.deepEqual(files.toSorted(), [
      'keystile.db',
      'keystile.db-shm',
      'keystile.db-wal',
      'keystile.key',
    ])
    for (const file of files) {
      const bytes = readFileSync(join(folder, 'data', file), 'latin1')
      for (const secret of [
        password,
        token,
        token.split('.')[2]!,
        ...refreshSecrets,
        '"d":',
        'PRIVATE KEY',
      ])
        assert.ok(!bytes.includes(secret), `${file}: ${secret}`)
    }
    await keystile.close()
  })

  it('only the owner can read the files of a SQLite database', async () => {
    const { keystile } = await startKeystile({ database: database(), key: undefined as never })
    for (const file of readdirSync(join(folder, 'data')))
      assert.equal(statSync(join(folder, 'data', file)).mode & 0o777, 0o600, file)
    assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700)
    await keystile.close()
  })

  it('a SQLite database does not open if other users can read keystile.key', async () => {
    const { keystile } = await startKeystile({ database: database(), key: undefined as never })
    await keystile.close()
    chmodSync(join(folder, 'data', 'keystile.key'), 0o644)
    await assert.rejects(
      startKeystile({ database: database(), key: undefined as never }),
      /chmod 600/,
    )
  })
})

describe(':memory:', () => {
  it('the database :memory: leaves no files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-memory-'))
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = folder
    try {
      const { accessToken, keystile } = await startKeystile({
        database: ':memory:',
        key: undefined as never,
      })
      await accessToken()
      await keystile.close()
      assert.deepEqual(readdirSync(folder), [])
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
      rmSync(folder, { recursive: true })
    }
  })
})
