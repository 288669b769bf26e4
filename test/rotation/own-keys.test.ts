// The operator's own signing keys, and two keys for encryption.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { createKeystile } from '@keystile/server'
import { decodeJwtUnsafe, exportPrivateJwk, exportPublicJwk, generateKey } from 'keystile/jwt'
import { callCommand, type Finished } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  issuer,
  key,
  password,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { sealAsSigningKey, sealForMail } from '../../packages/server/test-support/signing-keys.ts'

const newKey = 'the next sealing key: 9876543210 zyxwvu'

describeOnBoth('own signing keys', (stage) => {
  const [old, next] = [
    generateKey('RS256', { keyId: 'old' }),
    generateKey('ES256', { keyId: 'next' }),
  ]
  const [oldJwk, nextJwk] = [exportPrivateJwk(old), exportPrivateJwk(next)]

  it('a JWK Set as signingKey can publish a key before the server signs with the key', async () => {
    const announcing = await stage.start({ signingKey: { keys: [oldJwk, exportPublicJwk(next)] } })
    assert.deepEqual(await publishedKids(announcing), ['old', 'next'])
    const bearer = await announcing.accessToken()
    assert.equal(kidOf(bearer), 'old')

    const signing = await stage.start({ signingKey: { keys: [nextJwk, exportPublicJwk(old)] } })
    assert.deepEqual(await publishedKids(signing), ['next', 'old'])
    const fresh = await signing.accessToken()
    assert.equal(kidOf(fresh), 'next')
    for (const { send } of [announcing, signing])
      for (const token of [bearer, fresh])
        assert.equal((await send('GET', '/users/me', { bearer: token })).status, 200)
  })

  it('the published keys of a JWK Set have no private parts', async () => {
    const server = await stage.start({ signingKey: { keys: [nextJwk, oldJwk] } })
    const { json } = await server.send('GET', '/.well-known/jwks.json')
    assert.deepEqual(json, { keys: [exportPublicJwk(next), exportPublicJwk(old)] })
  })
})

describeOnBoth('two keys for encryption', (stage) => {
  let cwd: string
  before(() => void (cwd = mkdtempSync(join(tmpdir(), 'keystile-keys-'))))
  after(() => rmSync(cwd, { recursive: true }))

  const doctor = async (): Promise<Finished> =>
    callCommand(['doctor'], {
      cwd,
      env: {
        KEYSTILE_DATABASE: stage.database,
        KEYSTILE_ISSUER: issuer,
        KEYSTILE_KEY: newKey,
        KEYSTILE_PREVIOUS_KEY: key,
      },
    })
  const noLongerNeeded = /KEYSTILE_PREVIOUS_KEY is no longer needed: nothing in the database is/

  it('a start with previousKey encrypts the signing keys with the new key', async () => {
    const before = await stage.start()
    const bearer = await before.accessToken()
    await before.keystile.close()
    assert.doesNotMatch((await doctor()).stdout, noLongerNeeded)

    const both = await stage.start({ key: newKey, previousKey: key })
    assert.equal((await both.send('GET', '/users/me', { bearer })).status, 200)
    await both.keystile.close()
    const { stdout } = await doctor()
    assert.match(stdout, noLongerNeeded)
    for (const secret of [key, newKey]) assert.ok(!stdout.includes(secret))

    const after = await stage.start({ key: newKey })
    assert.equal(kidOf(await after.accessToken()), kidOf(bearer))
  })

  it('`keystile doctor` says whether data is still encrypted with the previous key', async () => {
    await (await stage.start()).keystile.close()
    await (await stage.start({ key: newKey, previousKey: key })).keystile.close()
    assert.match((await doctor()).stdout, noLongerNeeded)

    const signingKey = sealAsSigningKey('{}', 'k')
    await stage.sql(`insert into signing_key
      (id, algorithm, sealed_jwk, created_at, published_at, signs_from)
      values ('k', 'ES256', '${signingKey}', 0, 0, 0)`)
    assert.doesNotMatch((await doctor()).stdout, noLongerNeeded)
    await stage.sql("delete from signing_key where id = 'k'")
    assert.match((await doctor()).stdout, noLongerNeeded)

    const mail = sealForMail('{}', 'm template')
    await stage.sql(`insert into mail
      (id, template, subject, recipient, sealed, created_at, expires_at, tries, next_try_at)
      values ('m', 'template', 's', 'r', '${mail}', 0, 0, 0, 0)`)
    assert.doesNotMatch((await doctor()).stdout, noLongerNeeded)
    await stage.sql('delete from mail')
    assert.match((await doctor()).stdout, noLongerNeeded)

    const proof = sealForMail('{}', 'p purpose request')
    await stage.sql(`insert into mail_proof
      (id, purpose, token_hash, counted_for, tries, sealed, created_at, expires_at)
      values ('p', 'purpose', 'h', 'c', 0, '${proof}', 0, 0)`)
    assert.doesNotMatch((await doctor()).stdout, noLongerNeeded)
  })
})

it('on SQLite, if previousKey is the old keystile.key, a new keystile.key is created', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-moved-'))
  const options = {
    issuer: 'http://localhost:3000',
    database: join(folder, 'keystile.db'),
    registration: 'open',
  } as const
  try {
    const before = await createKeystile(options)
    await before.users.create({ username: 'ada', password })
    await before.close()
    const [file, moved] = [join(folder, 'keystile.key'), join(folder, 'old.key')]
    renameSync(file, moved)
    await assert.rejects(createKeystile(options), /must be the key that encrypted .* is missing/)

    const previousKey = readFileSync(moved, 'utf8').trim()
    await (await createKeystile({ ...options, previousKey })).close()
    await (await createKeystile(options)).close()
    assert.notEqual(readFileSync(file, 'utf8').trim(), previousKey)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function kidOf(token: string): string {
  return String(decodeJwtUnsafe(token).header['kid'])
}

async function publishedKids({ send }: TestKeystile): Promise<readonly string[]> {
  const { json } = await send('GET', '/.well-known/jwks.json')
  return json['keys'].map(({ kid }: { readonly kid: string }) => kid)
}
