import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tokenReasons, type TokenReason } from '../base/token-reasons.ts'
import { generateKey } from '../keys/generate-key.ts'
import { importKey } from '../keys/import-key.ts'
import { exportPublicJwk } from '../keys/jwk.ts'
import { canSign } from '../keys/signing-key.ts'
import { signJws } from '../token/jws.ts'
import { explanations } from './explanations.ts'
import { parseFlags, UsageError } from './flags.ts'
import { tokenCheckFlags } from './token-check-flags.ts'
import { checkToken, type Printed } from './token-check.ts'

const now = Math.floor(Date.now() / 1000)
const key = generateKey('ES256')
const { keyId: kid } = key
const stranger = generateKey('ES256', kid === undefined ? {} : { keyId: kid })
const secret = 'bXkgc2hhcmVkIHNlY3JldCwgNDggcmFuZG9tIGJ5dGVz-x7Qp'

const shared = importKey({ secret, algorithm: 'HS256' })
assert.ok(canSign(shared))

const folder = mkdtempSync(join(tmpdir(), 'keystile-token-check-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const fileWith = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
const keysFile = fileWith('keys.json', JSON.stringify({ keys: [exportPublicJwk(key)] }))

const api = ['--issuer', 'i', '--audience', 'a', '--keys', keysFile]
const unreachable = ['--issuer', 'http://127.0.0.1:1', '--audience', 'a']

/** A correctly signed token, with some claims or header members changed. */
function tokenWith(claims: object = {}, header: object = {}, by = key): string {
  const good = {
    iss: 'i',
    aud: 'a',
    sub: 'ada',
    client_id: 'c',
    sid: 's',
    jti: 'j',
    iat: now,
    exp: now + 600,
  }
  const payload = JSON.stringify({ ...good, ...claims })
  return signJws({ alg: 'ES256', kid, typ: 'at+jwt', ...header }, payload, by)
}

const check = (input: string, flags: readonly string[] = api): Promise<Printed> =>
  checkToken(flags, input, {})

interface Cause {
  readonly input: string
  readonly flags?: readonly string[]
}

/** For each reason, an input that causes it, or why the command never prints that reason. */
const causes: Readonly<Record<TokenReason, Cause | `only the app ${string}`>> = {
  no_credential: { input: '\n' },
  malformed_credential: { input: 'Bearer two tokens' },
  verifier_closed: 'only the app closes a verifier',
  token_too_long: { input: 'a'.repeat(16_385) },
  malformed_token: { input: 'an-opaque-token' },
  unknown_extension: { input: tokenWith({}, { crit: ['b64'] }) },
  unknown_algorithm: { input: tokenWith({}, { alg: 'none' }) },
  forbidden_algorithm: {
    input: tokenWith({ iss: 'http://127.0.0.1:1' }, { alg: 'HS256' }, shared),
    flags: unreachable,
  },
  keys_unavailable: { input: tokenWith({ iss: 'http://127.0.0.1:1' }), flags: unreachable },
  unknown_key: { input: tokenWith({}, { kid: 'another' }) },
  wrong_signature: { input: tokenWith({}, {}, stranger) },
  wrong_type: { input: tokenWith({}, { typ: 'JWT' }) },
  malformed_claim: { input: tokenWith({ sub: 7 }) },
  wrong_issuer: { input: tokenWith({ iss: 'another' }) },
  wrong_audience: { input: tokenWith({ aud: 'another' }) },
  wrong_subject: 'only the app expects a certain subject',
  wrong_client: {
    input: tokenWith({}),
    flags: [...api, '--token-type', 'JWT', '--client', 'another'],
  },
  missing_claim: { input: tokenWith({ client_id: undefined }) },
  not_yet_valid: { input: tokenWith({ nbf: now + 300 }) },
  expired: { input: tokenWith({ exp: now - 300 }) },
  revocations_unavailable: 'only the app knows revocations',
  revoked: 'only the app knows revocations',
  login_too_old: {
    input: tokenWith({ auth_time: now - 600 }),
    flags: [...api, '--max-age', '60'],
  },
  login_too_weak: { input: tokenWith({ acr: 'pwd' }), flags: [...api, '--acr', 'mfa'] },
  missing_scope: { input: tokenWith({ scope: 'read' }), flags: [...api, '--scope', 'write'] },
  unknown_user: 'only the app knows its users',
  email_not_verified: 'only the app knows its users',
  refused_by_app: 'only the app knows its rules',
  service_unavailable: 'only the app knows its services',
}

describe('keystile token check', () => {
  it('`keystile token check --token-type JWT` accepts a JWT that fits all flags', async () => {
    const token = tokenWith({ aud: undefined, azp: 'c', scp: ['read'] }, { typ: 'JWT' })
    const flags = ['--issuer', 'i', '--keys', keysFile, '--audience', 'c', '--client', 'c']
    const rules = [
      ...flags,
      '--token-type',
      'JWT',
      '--scopes-from',
      'scp',
      '--scope',
      'read',
      '--max-token-age',
      '60',
    ]
    assert.match((await check(token, rules)).stdout, /^refused: wrong_audience/)
    const { stdout, code } = await check(token, [...rules, '--audience-claim', 'azp'])
    assert.deepEqual([code, stdout.split('\n')[0]?.slice(0, 5)], [0, 'valid'])
  })

  it('`keystile token check` names the flag whose value is wrong', async () => {
    for (const [flag, value] of [
      ['--token-type', 'jwt'],
      ['--scopes-from', 'roles'],
      ['--max-token-age', 'x'],
      ['--audience-claim', 'iss'],
      ['--client', ''],
    ] as const) {
      const { stderr, code } = await check('x', [...api, '--token-type', 'JWT', flag, value])
      assert.equal(code, 2)
      assert.match(stderr, new RegExp(`^keystile: ${flag} `))
    }
    const { stderr, code } = await check('x', [...api, '--acr', 'two factors'])
    assert.deepEqual([code, stderr.slice(0, 34)], [2, 'keystile: each value of --acr must'])
  })

  for (const [reason, cause] of Object.entries(causes)) {
    if (typeof cause === 'string') continue

    it(`\`keystile token check\` prints ${reason}, its cause and its fix`, async () => {
      const { stdout, stderr, code } = await check(cause.input, cause.flags)
      assert.deepEqual([code, stderr], [1, ''])
      const { meaning, cause: usual, fix } = explanations[reason as TokenReason]
      const { message } = tokenReasons[reason as TokenReason]
      const lines = stdout.split('\n')
      assert.equal(lines[0], `refused: ${reason}`)
      for (const part of [meaning, `Usual cause: ${usual}`, `Fix: ${fix}`])
        assert.ok(lines.includes(`  ${part}`), stdout)
      assert.match(stdout, new RegExp(`The API answers .*: ${message}`))

      for (const part of cause.input.split('.').filter((text) => text.length > 20))
        assert.ok(!stdout.includes(part), 'the token is printed')
    })
  }

  it('`keystile token check` accepts a token that meets --scope, --max-age and --acr', async () => {
    const token = tokenWith({ scope: 'read write', auth_time: now - 10, acr: 'mfa' })
    const demand = ['--scope', 'read', '--scope', 'write', '--max-age', '60', '--acr', 'mfa']
    const flags = [...api, ...demand, '--acr', 'other']
    for (const input of [
      token,
      `${token}\n`,
      `Bearer ${token}`,
      `Authorization: bearer ${token}`,
      `authorization:Bearer  ${token}`,
    ]) {
      const { stdout, code } = await check(input, flags)
      assert.equal(code, 0, stdout)
      assert.match(stdout, /^valid: .*\n  Not checked: whether the token was revoked/)
      assert.doesNotMatch(stdout, /ada|eyJ/)
      assert.equal(stdout.trimEnd().split('\n').length, 2)
    }
  })

  it('`keystile token check` takes several issuers, audiences, clients and scopes', async () => {
    const firstLine = async (
      token: string,
      flags: readonly string[],
    ): Promise<string | undefined> => (await check(token, flags)).stdout.split('\n')[0]
    const issuers = [...unreachable, '--issuer', 'http://127.0.0.1:2']
    const elsewhere = tokenWith({ iss: 'http://127.0.0.1:1' })
    assert.equal(await firstLine(elsewhere, issuers), 'refused: keys_unavailable')
    const several = [...api, '--audience', 'b', '--token-type', 'JWT', '--client', '-c']
    const scopes = ['--client', 'd', '--scope', 'read', '--scope', 'write']
    const flags = [...several, ...scopes]
    const of = (scope: string): string => tokenWith({ client_id: '-c', scope })
    assert.equal(await firstLine(of('write'), flags), 'refused: missing_scope')
    assert.match((await firstLine(of('read write'), flags)) ?? '', /^valid/)
  })

  it('`keystile token check` prints the detail of a refusal, if there is one', async () => {
    for (const [input, detail] of [
      ['Bearer', 'no token after Bearer'],
      [`Bearer authorization:${tokenWith()}`, 'characters outside token68'],
      [`x bearer ${tokenWith()}`, 'characters outside token68'],
    ] as const)
      assert.match((await check(input)).stdout, new RegExp(`^  Detail: ${detail}`, 'm'))
    const { stdout } = await check(tokenWith({ exp: now - 300 }))
    assert.equal(stdout.trimEnd().split('\n').length, 5)
  })

  it('`keystile token check --claims` prints claims, with a warning if unverified', async () => {
    const valid = await check(tokenWith(), [...api, '--claims'])
    assert.match(valid.stdout, /^Header and claims:\n\{\n/m)
    assert.match(valid.stdout, /"sub": "ada"/)

    const foreign = await check(tokenWith({ aud: 'b', sub: '\u202e\u001b[1m\u00e9' }), [
      ...api,
      '--claims',
    ])
    assert.match(foreign.stdout, /NOT verified/)
    assert.match(foreign.stdout, /"aud": "b"/)
    assert.match(foreign.stdout, /"sub": "\\u202e\\u001b\[1m\\u00e9"/)
    for (const input of ['abc', ''])
      assert.match((await check(input, [...api, '--claims'])).stdout, /cannot be read/)
    const spaced = await check(`Bearer  ${tokenWith()}`, [...api, '--claims'])
    assert.match(spaced.stdout, /"sub": "ada"/)
  })

  it('`keystile token check` reads the issuer and the audience from the environment', async () => {
    const environment = { KEYSTILE_ISSUER: 'i', KEYSTILE_AUDIENCE: 'b,api' }
    const token = tokenWith({ aud: 'api' })
    assert.equal((await checkToken(['--keys', keysFile], token, environment)).code, 0)
  })

  it('`keystile token check` reads a shared secret from a file', async () => {
    const token = tokenWith({}, { alg: 'HS256', kid: undefined }, shared)
    const file = fileWith('secret', `${secret}\n`)
    const { code, stdout } = await check(token, [...api.slice(0, 4), '--keys', file])
    assert.equal(code, 0, stdout)
  })

  for (const [flags, message] of [
    [['--isuer', 'i'], 'there is no flag --isuer. Fix: write --issuer'],
    [['--verbose'], /^there is no flag --verbose\. Fix: the flags are --issuer, .*--claims$/],
    [
      ['--audience', 'a'],
      /^the issuer .* must be given\. Fix: add --issuer, or set KEYSTILE_ISSUER$/,
    ],
    [['--issuer', 'i'], /^the audience .*Fix: add --audience, or set KEYSTILE_AUDIENCE$/],
    [['--issuer'], /--issuer/],
    [[...api, 'abc'], /must be a flag or its value/],
    [['--issuer', 'i', '--audience', 'a'], /^--issuer must be an https URL/],
    [['--issuer', 'http://a.example', '--audience', 'a'], /^--issuer .* it is http:\/\/a\.example/],
    [[...api, '--jwks-uri', 'https://a.example'], 'pass either --keys or --jwks-uri, not both'],
    [[...api.slice(0, 4), '--jwks-uri', 'x'], /^--jwks-uri must be the https URL of a key set/],
    [[...api.slice(0, 4), '--keys', join(folder, 'none')], /^--keys must name a readable file/],
    [[...api.slice(0, 4), '--keys', fileWith('bad', '{')], /^--keys must name a file with a JWK/],
    [[...api, '--claims=x'], "Option '--claims' does not take an argument"],
    [[...api, '--max-age', '0'], '--max-age must be a number of seconds above 0'],
    [[...api, '--max-age', 'hour'], '--max-age must be a number of seconds above 0'],
  ] as const) {
    const shown = flags.join(' ').replaceAll(folder, '')
    it(`\`keystile token check\` exits with 2 and shows its usage: ${shown}`, async () => {
      const { stdout, stderr, code } = await check(tokenWith(), flags)
      assert.deepEqual([code, stdout], [2, ''])
      const said = stderr.replace(/^keystile: /, '').trimEnd()
      if (typeof message === 'string') assert.equal(said, message)
      else assert.match(said, message)
    })
  }
})

it('parseFlags returns only the flags of its command', () => {
  const flags = parseFlags(['--acr', 'mfa'], tokenCheckFlags)
  assert.deepEqual(flags.acr, ['mfa'])
  // @ts-expect-error: the command has no such flag
  assert.equal(flags.arc, undefined)
})

it('a UsageError has its own name', () => {
  assert.equal(new UsageError('x').name, 'UsageError')
})
