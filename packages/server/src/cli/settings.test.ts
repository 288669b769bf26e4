import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { exportPrivateJwk, generateKey } from 'keystile/jwt'
import { settingFlags } from './setting-flags.ts'
import { readSettings, readSettingsWithoutKey, readSituation } from './settings.ts'
import { gather } from './sources.ts'

const postgres = 'postgres://127.0.0.1:1/keystile'
const key = 'a sealing key for tests: 0123456789 abcdef'
let folder: string
before(() => void (folder = mkdtempSync(join(tmpdir(), 'keystile-settings-'))))
after(() => rmSync(folder, { recursive: true }))

/** Writes a file into the folder of these tests, and returns its path. */
function write(name: string, content: string | object): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('gather', () => {
  it('gather() prefers flags to the environment, and the environment to the file', async () => {
    const config = write('order.json', { issuer: 'f', audience: 'f', profile: {} })
    const environment = { KEYSTILE_AUDIENCE: 'e', KEYSTILE_REGISTRATION: 'e', KEYSTILE_HOST: 'e' }
    const { values, sources, faults, secretFiles, unread } = await gather(
      { config, registration: 'g', host: 'g' },
      environment,
    )
    assert.deepEqual(values, {
      issuer: 'f',
      audience: 'e',
      profile: {},
      registration: 'g',
      host: 'g',
    })
    assert.deepEqual(Object.fromEntries(sources), {
      issuer: { kind: 'file', name: 'issuer' },
      profile: { kind: 'file', name: 'profile' },
      audience: { kind: 'variable', name: 'KEYSTILE_AUDIENCE' },
      registration: { kind: 'flag', name: '--registration' },
      host: { kind: 'flag', name: '--host' },
    })
    assert.deepEqual([faults, secretFiles, [...unread]], [[], [], []])
  })

  it('gather() takes the first variable of a setting that has a value', async () => {
    const portOf = async (environment: Record<string, string>): Promise<unknown> =>
      (await gather({}, environment)).values['port']
    assert.equal(await portOf({ KEYSTILE_PORT: '1', PORT: '2' }), 1)
    assert.equal(await portOf({ KEYSTILE_PORT: '', PORT: '2' }), 2)
    assert.equal(await portOf({ PORT: '' }), undefined)
    const KEYSTILE_DATABASE_FILE = write('empty', '\n')
    const { values, faults } = await gather({}, { KEYSTILE_DATABASE_FILE, DATABASE_URL: postgres })
    assert.deepEqual([values, faults], [{ database: postgres }, []])
  })

  it('gather() reports each string that cannot be parsed, but shows no secret', async () => {
    const signing = write('signing.jwk', 'hunter2')
    const { values, faults, secretFiles, unread } = await gather(
      { 'grace-seconds': 'ten', 'signing-key-file': signing },
      { KEYSTILE_PORT: 'x', PORT: 'y' },
    )
    assert.deepEqual(values, {})
    assert.deepEqual(faults, [
      'KEYSTILE_PORT must be a whole number; it is "x"',
      'PORT must be a whole number; it is "y"',
      '--grace-seconds must be a whole number; it is "ten"',
      `--signing-key-file must name a file with a private JWK; ${signing} is not JSON`,
    ])
    assert.deepEqual(secretFiles, [])
    assert.deepEqual([...unread], ['port', 'graceSeconds', 'signingKey'])
  })

  it('gather() reports unknown variables whose names begin with KEYSTILE_', async () => {
    const environment = { KEYSTILE_PROT: '1', KEYSTILE_ABCD: '1', KEYSTILE_ISSUER_FILE: 'a' }
    const others = { KEYSTILE_TEST_X: '1', X_KEYSTILE_: '1', PROT: '1', DATABASE_URL_FILE: '' }
    const { faults } = await gather({}, { ...environment, ...others })
    const list = '"keystile help" lists the settings'
    assert.deepEqual(faults, [
      `KEYSTILE_PROT is not a setting; did you mean KEYSTILE_PORT? ${list}`,
      `KEYSTILE_ABCD is not a setting; ${list}`,
      `KEYSTILE_ISSUER_FILE is not a setting; ${list}`,
    ])
  })

  it('gather() ignores the variables that Kubernetes sets for a Service named keystile', async () => {
    const service = {
      KEYSTILE_SERVICE_HOST: '10.0.0.1',
      KEYSTILE_SERVICE_PORT: '8000',
      KEYSTILE_SERVICE_PORT_HTTP: '8000',
      KEYSTILE_PORT: 'tcp://10.0.0.1:8000',
      KEYSTILE_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
      KEYSTILE_PORT_8000_TCP_PROTO: 'tcp',
      KEYSTILE_PORT_8000_TCP_PORT: '8000',
      KEYSTILE_PORT_8000_TCP_ADDR: '10.0.0.1',
      KEYSTILE_READ_ONLY_SERVICE_HOST: '10.0.0.2',
      KEYSTILE_READ_ONLY_PORT: 'udp://10.0.0.2:53',
      KEYSTILE_READ_ONLY_PORT_53_UDP_ADDR: '10.0.0.2',
    }
    const { values, faults, ignored } = await gather({}, { ...service, PORT: '9000' })
    assert.deepEqual([values['port'], faults], [9000, []])
    assert.deepEqual(ignored, Object.keys(service))

    const own = { KEYSTILE_PORT: '8001', KEYSTILE_SERVICE_HOSTS: 'a', KEYSTILE_PORT_TCP: 'a' }
    const kept = await gather({}, own)
    assert.deepEqual([kept.values['port'], kept.faults.length, kept.ignored], [8001, 2, []])
  })

  it('gather() reads a secret from a file, without the line break at its end', async () => {
    const read = async (environment: Record<string, string>): Promise<unknown> => {
      const { values, sources, secretFiles, unread } = await gather({}, environment)
      return [values['key'], sources.get('key')?.name, secretFiles, [...unread]]
    }
    for (const [content, secret] of [
      [key, key],
      [`${key}\n`, key],
      [`${key}\r\n`, key],
      [`${key}\n\n`, `${key}\n`],
      [`a\nb`, 'a\nb'],
    ] as const) {
      const file = write('key', content)
      const expected = [secret, 'KEYSTILE_KEY_FILE', [file], []]
      assert.deepEqual(await read({ KEYSTILE_KEY_FILE: file }), expected)
    }
    const file = write('key', key)
    const both = { KEYSTILE_KEY: 'b', KEYSTILE_KEY_FILE: file }
    assert.deepEqual(await read(both), ['b', 'KEYSTILE_KEY', [], []])
    assert.deepEqual((await gather({}, both)).faults, [
      'KEYSTILE_KEY must not be set together with KEYSTILE_KEY_FILE. Fix: remove one of the two',
    ])
    assert.deepEqual(await read({ KEYSTILE_KEY_FILE: '' }), [undefined, undefined, [], []])
    const empty = { KEYSTILE_KEY_FILE: write('empty', '\n') }
    assert.deepEqual(await read(empty), [undefined, undefined, [], []])
  })

  it('gather() reports a secret file that cannot be read', async () => {
    const none = join(folder, 'none')
    const files = {
      KEYSTILE_DATABASE_FILE: none,
      DATABASE_URL_FILE: none,
      KEYSTILE_KEY_FILE: folder,
    }
    const { values, faults, secretFiles, unread } = await gather({}, files)
    assert.deepEqual([values, secretFiles, [...unread]], [{}, [], ['database', 'key']])
    const absent = 'does not exist. Fix: create the file, or correct the path'
    assert.deepEqual(faults, [
      `KEYSTILE_DATABASE_FILE must name a file that can be read: ${none} ${absent}`,
      `DATABASE_URL_FILE must name a file that can be read: ${none} ${absent}`,
      'KEYSTILE_KEY_FILE must name a file that can be read: ' +
        'EISDIR: illegal operation on a directory, read. ' +
        'Fix: let the user of the process read the file, or correct the path',
    ])
  })

  it('a secret that was written instead of the path of its file is not printed', async () => {
    const base64 = 'c2VjcmV0/c2VjcmV0+c2VjcmV0.c2VjcmV0='
    for (const [variable, secret] of [
      ['KEYSTILE_KEY_FILE', base64],
      ['KEYSTILE_KEY_FILE', base64.repeat(200)], // too long for the name of a file
      ['DATABASE_URL_FILE', 'postgres://ada:c2VjcmV0@localhost/shop'],
      ['KEYSTILE_MAIL_DKIM_KEY_FILE', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0'],
      ['KEYSTILE_SIGNING_KEY_FILE', '{"kty":"EC","d":"c2VjcmV0"}'],
    ] as const) {
      const { faults } = await gather({}, { [variable]: secret })
      assert.match(
        faults.join(),
        new RegExp(`^${variable} must name a file .*it may be the secret`),
      )
      assert.doesNotMatch(faults.join(), /c2VjcmV0/)
    }
  })

  it('gather() lists the files with secrets: the configuration, and a signing key', async () => {
    const jwk = exportPrivateJwk(generateKey('ES256'))
    const signing = write('signing.jwk', jwk)
    const filesOf = async (content: object, flags: object = {}): Promise<readonly string[]> =>
      (await gather({ config: write('c.json', content), ...flags }, {})).secretFiles
    assert.deepEqual(await filesOf({ issuer: 'a' }), [])
    assert.deepEqual(await filesOf({ issuer: 'a', key }), [join(folder, 'c.json')])
    assert.deepEqual(await filesOf({}, { 'signing-key-file': signing }), [signing])
  })

  it('a file with the URL of a server counts as secret if the URL has a password', async () => {
    for (const [name, value, isSecret] of [
      ['mailUrl', 'console:', false],
      ['mailUrl', 'smtp://localhost:2525', false],
      ['mailUrl', 'smtp://user:S3CRET@localhost:2525', true],
      ['mailUrl', 5, true],
      ['database', 'data/keystile.db', false],
      ['database', 'postgres://keystile_app@localhost/keystile', false],
      ['database', 'postgres://keystile_app:S3CRET@localhost/keystile', true],
      ['database', 'postgres://localhost/keystile?password=S3CRET', true],
      ['database', { connect() {} }, true],
    ] as const) {
      const config = write('urls.json', { [name]: value })
      const inConfig = (await gather({ config }, {})).secretFiles
      assert.deepEqual(inConfig, isSecret ? [config] : [], JSON.stringify(value))
      if (typeof value !== 'string') continue

      const variable = name === 'mailUrl' ? 'KEYSTILE_MAIL_URL_FILE' : 'DATABASE_URL_FILE'
      const path = write('url', value)
      const { secretFiles } = await gather({}, { [variable]: path })
      assert.deepEqual(secretFiles, isSecret ? [path] : [], value)
    }
  })

  it('gather() says where a file has a fault, and repeats nothing of it', async () => {
    for (const [text, place] of [
      ['{', 'line 1, column 2'],
      ['', 'line 1, column 1'],
      ['{"key": S3CRETvalue12345678901234567890 }', 'line 1, column 9'],
      ['{\n  "key": "a",\n  "mailUrl": S3CRETvalue }', 'line 3, column 14'],
      ['{\n"key": "S3CRET" S3CRET }', 'line 2, column 17'],
      ['{ "key": "S3CRET', 'line 1, column 17'],
      ['S3CRET', 'line 1, column 1'],
    ] as const) {
      const file = write('fault.json', text)
      const { faults } = await gather({ config: file }, {})
      assert.deepEqual(faults, [`${file} cannot be read: it must be valid JSON; see ${place}`])
    }
    for (const [index, [text, why]] of [
      ['export default {\n  key: S3CRET,\n}', 'a name in it is not defined, in line 2'],
      ['const S3CRET = 1\nconst S3CRET = 2', 'the code in it has a wrong name, in line 2'],
      ['export default { key: #S3CRET }', 'the code in it has a wrong name'],
      ['export default { key: "a" S3CRET }', "Expected ',', got 'ident'"],
      ['export default { get key() { throw new Error("no key") } }', 'no key'],
    ].entries()) {
      const file = write(`fault${index}.ts`, text!)
      const { faults } = await gather({ config: file }, {})
      assert.deepEqual(faults, [`${file} cannot be read: ${why}`])
    }
  })

  it('gather() reports a missing or invalid file, and unknown settings in it', async () => {
    const faultsOf = async (config: string): Promise<readonly string[]> =>
      (await gather({ config }, {})).faults
    const none = join(folder, 'none.json')
    assert.deepEqual(await faultsOf(none), [
      `--config must name a file; ${none} does not exist. Fix: correct the path`,
    ])
    for (const content of ['null', '"a"', '5'])
      assert.match(
        (await faultsOf(write('b.json', content)))[0]!,
        /b\.json cannot be read: the default export, or the JSON in the file, must be an object/,
      )
    mkdirSync(join(folder, 'commonjs'))
    write('commonjs/package.json', { type: 'commonjs' })
    assert.match(
      (await faultsOf(write('commonjs/c.ts', 'export default {}')))[0]!,
      /c\.ts cannot be read: .*'export'\. The package\.json of its folder must contain "type": "module"$/,
    )
    const content = { scope: {}, colour: 1, host: 'a' }
    const [scope, colour, ...more] = await faultsOf(write('c.json', content))
    assert.match(
      scope!,
      /c\.json: "scope" is not a setting; did you mean scopes\? "keystile help" l/,
    )
    assert.match(colour!, /c\.json: "colour" is not a setting; "keystile help" lists the settings$/)
    assert.deepEqual(more, [])
  })

  const openFault = (file: string): string =>
    `${file} must be writable by its owner only, because Keystile obeys it. Fix: chmod go-w ${file}`

  it('gather() does not read a configuration that other users can write', async () => {
    for (const file of [
      write('open.json', { audience: 'x' }),
      write('open.ts', `export default { audience: 'x' }`),
    ]) {
      chmodSync(file, 0o646)
      const { values, faults } = await gather({ config: file }, {})
      assert.deepEqual([values, faults], [{}, [openFault(file)]])
      chmodSync(file, 0o644)
      assert.deepEqual((await gather({ config: file }, {})).values, { audience: 'x' })
    }
  })

  const skip = process.getuid?.() !== 0 && 'only root can give a file to another user'
  it('gather() reads no configuration of another user or for another group', { skip }, async () => {
    const file = write('foreign.ts', `export default { audience: 'x' }`)
    chownSync(file, 12345, 0)
    const { values, faults } = await gather({ config: file }, {})
    assert.deepEqual(values, {})
    assert.match(faults[0]!, /foreign\.ts must not belong to another user, .* Fix: run Keystile as/)

    chmodSync(file, 0o664)
    chownSync(file, 0, 12345)
    assert.deepEqual((await gather({ config: file }, {})).faults, [openFault(file)])
    chownSync(file, 0, 0) // the group of the owner alone
    assert.deepEqual((await gather({ config: file }, {})).faults, [])
  })

  it('gather() prefers keystile.config.ts to keystile.config.json', async () => {
    const before = process.cwd()
    process.chdir(folder)
    try {
      assert.deepEqual(await gather({}, {}), await gather({ config: undefined }, {}))
      assert.deepEqual((await gather({}, {})).faults, [])
      write('keystile.config.json', { audience: 'json' })
      assert.deepEqual((await gather({}, {})).values, { audience: 'json' })
      write('keystile.config.ts', `export default { audience: 'ts' as string }`)
      assert.deepEqual((await gather({}, {})).values, { audience: 'ts' })
    } finally {
      process.chdir(before)
    }
  })
})

describe('readSettings', () => {
  it('readSettings() without input returns the defaults of a local server', async () => {
    const { options, ...server } = await readSettings({}, {})
    assert.deepEqual(
      [options.issuer, options.database, options.graceSeconds],
      ['http://localhost:8000', 'data/keystile.db', 10],
    )
    assert.deepEqual(server, {
      hosts: ['127.0.0.1', '::1'],
      port: 8000,
      logFile: undefined,
      logLevel: 'info',
      accessLog: false,
      metrics: 'own',
      ignoredVariables: [],
    })
    const { bind, secretFiles } = options.situation
    assert.deepEqual(bind, { host: 'localhost', isIssuerGiven: false })
    assert.deepEqual(secretFiles, [])
  })

  it('readSettings() returns all settings of the listener that are given', async () => {
    const flags = {
      issuer: 'https://auth.example',
      registration: 'closed',
      host: '::1',
      port: '9000',
      'log-file': 'a.log',
      'log-level': 'warn',
      'access-log': 'on',
      metrics: '127.0.0.1:9464',
    }
    const { options, ...server } = await readSettings(flags, {})
    assert.deepEqual(options.situation.bind, { host: '::1', isIssuerGiven: true })
    assert.deepEqual(server, {
      hosts: ['::1'],
      port: 9000,
      logFile: 'a.log',
      logLevel: 'warn',
      accessLog: true,
      metrics: { hosts: ['127.0.0.1'], port: 9464 },
      ignoredVariables: [],
    })
  })

  it('by default, metrics are on only if both the host and the issuer are local', async () => {
    const metricsWith = async (flags: object): Promise<unknown> =>
      (await readSettings({ registration: 'closed', ...flags }, {})).metrics
    const allowHttp = { 'dangerously-allow-http-issuer': 'true' }
    const open = { host: '0.0.0.0', issuer: 'http://localhost:8000', ...allowHttp }
    assert.equal(await metricsWith({ host: '127.0.0.1', issuer: 'http://[::1]:1' }), 'own')
    assert.equal(await metricsWith({ issuer: 'https://auth.example' }), undefined)
    assert.equal(await metricsWith({ issuer: 'https://auth.example', metrics: 'on' }), 'own')
    assert.equal(await metricsWith({ metrics: 'off' }), undefined)
    assert.equal(await metricsWith(open), undefined)
  })

  it('by default, /docs is on only if the issuer is on this machine', async () => {
    const docsWith = async (flags: object, environment = {}): Promise<unknown> =>
      (await readSettings({ registration: 'closed', key, ...flags }, environment)).options.docs
    const issuer = 'https://auth.example'
    assert.equal(await docsWith({}), 'on')
    assert.equal(await docsWith({ issuer: 'http://127.0.0.1:8000/auth' }), 'on')
    assert.equal(await docsWith({ issuer }), 'off')
    assert.equal(await docsWith({}, { KEYSTILE_ISSUER: issuer }), 'off')
    assert.equal(await docsWith({ issuer, docs: 'on' }), 'on')
    assert.equal(await docsWith({ docs: 'off' }), 'off')
  })

  it('by default, users may set up a second factor, but not without a key that stays', async () => {
    const factorWith = async (environment: object): Promise<unknown> =>
      (await readSettings({ registration: 'closed' }, { ...environment })).options.secondFactor
    assert.equal(await factorWith({}), 'optional')
    assert.equal(await factorWith({ KEYSTILE_KEY: key }), 'optional')
    assert.equal(await factorWith({ KEYSTILE_SECOND_FACTOR: 'off' }), 'off')
    const file = write('own.jwk', exportPrivateJwk(generateKey('ES256')))
    assert.equal(await factorWith({ KEYSTILE_SIGNING_KEY_FILE: file }), 'off')
    const both = { KEYSTILE_SIGNING_KEY_FILE: file, KEYSTILE_KEY: key }
    assert.equal(await factorWith(both), 'optional')
  })

  it('readSettings() needs no key for commands that decrypt nothing', async () => {
    const environment = { DATABASE_URL: postgres }
    await assert.rejects(readSettings({}, environment), { message: /KEYSTILE_KEY must/ })
    const { options } = await readSettingsWithoutKey({}, environment)
    assert.deepEqual([options.database, options.key], [postgres, undefined])
    const given = await readSettingsWithoutKey({}, { ...environment, KEYSTILE_KEY: key })
    assert.equal(given.options.key, key)
  })

  it('readSettings() reports all faults, one on each line', async () => {
    await assert.rejects(readSettings({ port: '0' }, {}), {
      message: 'Keystile cannot start:\n  - --port must be at least 1; it is 0',
    })
    const flags = { config: join(folder, 'none'), host: '', 'log-level': 'loud' }
    const environment = { KEYSTILE_GRACE_SECONDS: '61', PORT: '0' }
    await assert.rejects(readSettings(flags, environment), {
      name: 'ConfigurationError',
      message: [
        'Keystile cannot start:',
        `  - --config must name a file; ${folder}/none does not exist. Fix: correct the path`,
        '  - --host must not be empty; it is ""',
        '  - PORT must be at least 1; it is 0',
        '  - --log-level must be debug, info, warn or error; it is "loud"',
        '  - KEYSTILE_GRACE_SECONDS must be at most 60; it is 61',
      ].join('\n'),
    })
  })
})

describe('readSituation', () => {
  it('readSituation() returns faults instead of throwing them', async () => {
    const secret = write('key', key)
    const environment = { KEYSTILE_KEY_FILE: secret, KEYSTILE_GRACE_SECONDS: '61', PORT: 'x' }
    const situation = await readSituation({ host: '0.0.0.0', issuer: 'a' }, environment)
    const { faults, options, bind, secretFiles, unread, say } = situation
    assert.deepEqual(faults, [
      'PORT must be a whole number; it is "x"',
      'KEYSTILE_GRACE_SECONDS must be at most 60; it is 61',
      '--issuer must be a URL such as https://auth.example or http://localhost:3000/auth; ' +
        'it is "a"',
    ])
    assert.deepEqual([options.key, secretFiles], [key, [secret]])
    assert.deepEqual(bind, { host: '0.0.0.0', isIssuerGiven: true })
    assert.deepEqual([...unread].toSorted(), ['graceSeconds', 'port'])
    assert.equal(say?.name('issuer'), '--issuer')
    assert.equal((await readSituation({ host: '' }, {})).bind, undefined)
  })
})

describe('the flags of settings', () => {
  const find = (name: string) =>
    settingFlags.find(({ flag, environment }) => [flag, ...environment].includes(name))

  it('the help shows the flag, the variables and the default of a setting', () => {
    assert.deepEqual(find('--port'), {
      flag: '--port',
      environment: ['KEYSTILE_PORT', 'PORT'],
      summary: 'the port to listen on; default: 8000',
    })
    const { flag, environment } = find('KEYSTILE_KEY[_FILE]')!
    assert.deepEqual([flag, environment], [undefined, ['KEYSTILE_KEY[_FILE]']])
    assert.deepEqual(find('KEYSTILE_SIGNING_KEY_FILE')?.flag, '--signing-key-file')
    assert.doesNotMatch(find('--cors-origins')!.summary, /undefined/)
  })

  it('--config names the settings that only a file can give', () => {
    assert.deepEqual(find('--config'), {
      flag: '--config',
      environment: [],
      summary:
        'a file with settings, also with profile, scopes, roles, defaultScopes, pageTexts; ' +
        'default: keystile.config.ts or .json',
    })
    assert.equal(find('--scopes'), undefined)
    assert.ok(settingFlags.every(({ flag, environment }) => flag ?? environment[0]))
  })
})
