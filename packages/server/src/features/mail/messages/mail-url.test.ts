import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSeal } from '../../../base/seal.ts'
import { appWording } from '../../../feature/wording.ts'
import { checkOptions } from '../../../server/options.ts'
import { openMailSeal } from '../outbox/mail-seal.ts'
import { dkimOf, isSelector } from './dkim.ts'
import { feature } from './feature.ts'
import { parseMailUrl } from './mail-url.ts'
import { createNotices } from './notices.ts'
import { pagesUrlOf } from './pages-url.ts'

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const
const encrypted = { cipher: 'aes-256-cbc', passphrase: 'x' }

const mailOfApp = { from: 'Example <no-reply@example.com>', send() {} }

describe('parseMailUrl', () => {
  const smtp = { kind: 'smtp', host: 'mail.example', isSecure: false, requiresTls: true } as const

  it('parseMailUrl returns the server, and demands TLS for a server on another machine', () => {
    assert.deepEqual(parseMailUrl('console:'), { kind: 'console' })
    assert.deepEqual(parseMailUrl('smtp://mail.example'), { ...smtp, port: 587, login: undefined })
    assert.deepEqual(parseMailUrl('smtps://us%40er:p%3Aw@mail.example/'), {
      ...smtp,
      port: 465,
      isSecure: true,
      login: { user: 'us@er', password: 'p:w' },
    })
    assert.deepEqual(parseMailUrl('smtp://mail.example:25?tls=off'), {
      ...smtp,
      port: 25,
      requiresTls: false,
      login: undefined,
    })
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const server = parseMailUrl(`smtp://app:secret@${host}:2525`)
      assert.equal(server.kind === 'smtp' && server.requiresTls, false, host)
      assert.equal(server.kind === 'smtp' && server.host, host.replace('[::1]', '::1'))
    }
  })

  it('parseMailUrl tells how to write a password with characters that end a part of a URL', () => {
    for (const password of ['pa#ss', 'pa?ss', 'pa/ss', '12#ss', '12?ss', '12/ss', 'p%ss'])
      assert.throws(
        () => parseMailUrl(`smtp://app:${password}@mail.example`),
        /percent-encode special characters of the password/,
      )
  })

  for (const url of [
    '',
    'mail.example',
    'http://mail.example',
    'smtp:mail.example',
    'smtp://',
    'console:x',
    'smtp://mail.example/path',
    'smtp://mail.example#x',
    'smtp://mail.example?tls=on',
    'smtps://mail.example?tls=off',
    'smtp://app@mail.example',
    'smtp://:hunter2@mail.example',
    'smtp://app:%@mail.example',
    'smtp://app:hunter2@mail.example?tls=off',
  ])
    it(`parseMailUrl refuses ${JSON.stringify(url)}; the error does not contain the URL`, () => {
      const isSilent = (error: Error): boolean =>
        error.message.startsWith('must ') && !error.message.includes('hunter2')
      assert.throws(() => parseMailUrl(url), isSilent)
    })
})

describe('the settings for mail', () => {
  const check = (options: Record<string, unknown>): unknown =>
    checkOptions({ issuer: 'http://localhost:3000', database: ':memory:', ...options })
  const mailFrom = 'Example <no-reply@example.com>'
  const mail = { from: mailFrom, send() {} }

  it('checkOptions accepts either `mailUrl` with `mailFrom`, or `mail` alone', () => {
    assert.ok(check({ mailUrl: 'console:', mailFrom }))
    assert.ok(check({ mailUrl: 'console:', mailFrom: 'no-reply@example.com' }))
    assert.ok(check({ mailUrl: 'console:', mailFrom: '<no-reply@example.com>' }))
    assert.ok(check({ mail }))
    assert.ok(check({ mail: { ...mail, templates: { new_device: () => undefined } } }))
    assert.throws(
      () => check({ mailUrl: 'smtp://mail.example' }),
      /mailUrl needs mailFrom too\. Fix: set mailFrom: 'Example </,
    )
    assert.ok(check({ mailUrl: 'console:' }))
    assert.throws(
      () => check({ mailFrom }),
      /mailFrom needs mailUrl too\. Fix: set mailUrl: 'smtp:/,
    )
    assert.throws(
      () => check({ mail, mailUrl: 'console:', mailFrom }),
      /mail must not be given together with mailUrl/,
    )
  })

  it('the error message about a wrong mailUrl does not contain the password', () => {
    const mailUrl = 'smtp://app:hunter2@mail.example?tls=off'
    assert.throws(
      () => check({ mailUrl, mailFrom }),
      ({ message }: Error) =>
        message.includes('mailUrl must not have ?tls=off') && !message.includes('hunter2'),
    )
  })

  for (const from of [
    '',
    'Example',
    'a@b@c',
    'x <a@example.com',
    'A\r\nBcc: eve@example.com <a@example.com>',
    'a@example.com, b@example.com',
    '\n<a@example.com>',
    '<a@example.com>\nx',
  ])
    it(`checkOptions refuses ${JSON.stringify(from)} as the sender of mails`, () => {
      assert.throws(
        () => check({ mailUrl: 'console:', mailFrom: from }),
        /mailFrom must be an address such as Example <no-reply@example\.com>; it is /,
      )
      assert.throws(() => check({ mail: { ...mail, from } }), /mail must have an address as from/)
    })

  const pem = (kind: 'rsa' | 'rsa-pss', modulusLength: number): string =>
    generateKeyPairSync(kind as 'rsa', { modulusLength }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
  const mailDkimKey = pem('rsa', 2048)

  it('mailDkimKey is accepted only with mailUrl, and mailDkimSelector only if well-formed', () => {
    const given = { mailUrl: 'console:', mailFrom, mailDkimKey }
    assert.ok(check(given))
    assert.ok(check({ ...given, mailDkimSelector: 'a.2026-11' }))
    assert.throws(() => check({ mail, mailDkimKey }), /mailDkimKey needs mailUrl too/)
    for (const mailDkimSelector of ['', 'a b', 'a..b', '-a', 'a;d=b', 'é', 'a'.repeat(64)])
      assert.throws(() => check({ ...given, mailDkimSelector }), /mailDkimSelector must be letters/)
  })

  for (const [title, faulty] of [
    ['text that is not a key', 'hunter2'],
    ['a key that was cut', mailDkimKey.slice(0, -200)],
    ['a short key', pem('rsa', 1024)],
    ['a key for other signatures', pem('rsa-pss', 2048)],
    ['a public key', createPublicKey(mailDkimKey).export({ type: 'spki', format: 'pem' })],
    ['an Ed25519 key', generateKeyPairSync('ed25519').privateKey.export(pkcs8)],
    ['a key with a password', createPrivateKey(mailDkimKey).export({ ...pkcs8, ...encrypted })],
  ] as const)
    it(`Keystile does not start with ${title} as mailDkimKey, and never shows the key`, () => {
      assert.throws(
        () => check({ mailUrl: 'console:', mailFrom, mailDkimKey: faulty }),
        ({ message }: Error) =>
          /mailDkimKey must be a private RSA key of 2048 bits or more/.test(message) &&
          !/hunter2|BEGIN/.test(message),
      )
    })

  it('checkOptions refuses `mail` if `send` is not a function, or if a template is unknown', () => {
    assert.ok(check({ mail: { ...mail, templates: { new_device: undefined } } }))
    for (const wrong of [
      null,
      {},
      { ...mail, from: 1 },
      { ...mail, send: 1 },
      { ...mail, templates: 1 },
      { ...mail, templates: { x() {} } },
      { ...mail, templates: { new_device: 'text' } },
      Object.assign(() => {}, mail),
    ])
      assert.throws(
        () => check({ mail: wrong }),
        /mail must be an object with .*; the templates are password_changed, new_device, account/,
      )
    assert.throws(() => check({ mailLanguage: 'it' }), /mailLanguage must be one of en, de, fr, es/)
  })

  for (const accountPagesUrl of [
    'https://app.example',
    'https://app.example/account/',
    'http://localhost:5173/account',
  ])
    it(`checkOptions accepts ${accountPagesUrl} as accountPagesUrl`, () => {
      assert.ok(check({ mail, accountPagesUrl }))
    })

  for (const accountPagesUrl of [
    '',
    '/account',
    'app.example/account',
    'ftp://app.example',
    'xhttps://app.example',
    'http://app.example/account',
    'http://localhost.example/account',
    'https://app.example/account?next=1',
    'https://app.example/?',
    'https://app.example/#/account',
    'https://user:secret@app.example',
    'https://secret@app.example',
    'https://:secret@app.example',
  ])
    it(`checkOptions refuses ${JSON.stringify(accountPagesUrl)} as accountPagesUrl`, () => {
      assert.throws(
        () => check({ mail, accountPagesUrl }),
        ({ message }: Error) =>
          /accountPagesUrl must (be an https URL|not have)/.test(message) &&
          !message.includes('secret'),
      )
    })
})

describe('the settings for mail of an app that stores the users', () => {
  const faultsOf = (name: string, value: unknown, users?: object): readonly string[] =>
    feature.settings
      ?.find((setting) => setting.name === name)
      ?.findFaults?.(value, { values: { users }, unread: new Set(['mailFrom']) }, appWording) ?? []

  it('`mail` and `mailUrl` need users.email, and accountPagesUrl needs users.setPassword', () => {
    for (const [name, value, needed] of [
      ['mail', mailOfApp, 'email'],
      ['mailUrl', 'console:', 'email'],
      ['accountPagesUrl', 'https://app.example', 'setPassword'],
    ] as const) {
      const [fault, ...others] = faultsOf(name, value, {})
      assert.ok(fault?.startsWith(`needs users.${needed} too`), name)
      assert.deepEqual(others, [])
      assert.deepEqual(faultsOf(name, value, { [needed]() {} }), [])
      assert.deepEqual(faultsOf(name, value), [])
    }
  })
})

describe('the rule about the page for development', () => {
  it('mails must not be shown at /dev/mail if other machines can reach the server', () => {
    const find = (mailUrl: string, issuer: string): readonly unknown[] | undefined =>
      feature.rules
        ?.find(({ id }) => id === 'mail-console')
        ?.find({ options: { mailUrl, issuer } } as never, appWording)
    const [found] = find('console:', 'https://auth.example') ?? []
    const { about, fix } = found as { readonly about: string; readonly fix: string }
    assert.deepEqual(
      [about, fix],
      [
        'mailUrl',
        "set mailUrl: 'smtp://user:password@mail.example.com:587', with the URL of your mail server",
      ],
    )
    assert.deepEqual(find('console:', 'http://localhost:3000'), [])
    assert.deepEqual(find('smtp://mail.example', 'https://auth.example'), [])
  })
})

describe('the rule that mail servers must use TLS', () => {
  const find = (mailUrl?: string): readonly string[] =>
    (feature.rules ?? [])
      .filter(({ id }) => id === 'mail-tls')
      .flatMap((rule) => rule.find({ options: { mailUrl } } as never, appWording) ?? [])
      .map(({ about, message, fix }) => `${about} ${message}; ${fix}`)

  it('a mail server on another machine is reported if TLS is off', () => {
    assert.deepEqual(find('smtp://mail.example?tls=off'), [
      'mailUrl must use TLS to "mail.example": others on the network can read mails; ' +
        'remove ?tls=off from the URL',
    ])
    for (const mailUrl of [
      undefined,
      'console:',
      'no URL',
      'smtp://mail.example',
      'smtps://mail.example',
      'smtp://localhost',
      'smtp://127.0.0.1?tls=off',
    ])
      assert.deepEqual(find(mailUrl), [], String(mailUrl))
  })
})

it('links in mails begin with accountPagesUrl, by default /account below the issuer', () => {
  const issuer = 'https://auth.example/v1'
  assert.equal(pagesUrlOf({ issuer }), 'https://auth.example/v1/account')
  const accountPagesUrl = 'https://app.example/account//'
  assert.equal(pagesUrlOf({ issuer, accountPagesUrl }), 'https://app.example/account')
})

it('after three days, Keystile stops trying to send a notice', () => {
  const notices = createNotices(() => assert.fail('no seal'), { now: () => 0 })
  const { lifetimeMilliseconds, sealed } = notices('new_device') ?? {}
  assert.deepEqual([lifetimeMilliseconds, sealed], [259_200_000, null])
})

it('openMailSeal creates the seal once, at first use, with a key only for mails', () => {
  const secret = 'a secret for the seal of mails'
  let calls = 0
  const seal = openMailSeal(() => (calls++, [secret]))
  assert.equal(calls, 0)
  assert.equal(seal().open(createSeal(secret, 'mails').seal('x')), 'x')
  assert.equal(seal(), seal())
  assert.equal(calls, 1)
})

describe('the signer of mails', () => {
  it('with a DKIM key and mailFrom, mails are signed for the domain of mailFrom', () => {
    const mailDkimSelector = 'keystile'
    const mailDkimKey = 'a key'
    assert.deepEqual(dkimOf({ mailFrom: 'A <a@bücher.example>', mailDkimKey, mailDkimSelector }), {
      domain: 'xn--bcher-kva.example',
      selector: 'keystile',
      key: 'a key',
    })
    assert.equal(dkimOf({ mailDkimKey, mailDkimSelector }), undefined)
    assert.equal(dkimOf({ mailFrom: 'a@example.com', mailDkimSelector }), undefined)
    assert.equal(dkimOf({ mailFrom: 'nobody', mailDkimKey, mailDkimSelector }), undefined)
  })

  it('a DKIM selector has at most 200 characters', () => {
    const parts = `${'a'.repeat(49)}.`.repeat(3)
    assert.equal(isSelector(`${parts}${'a'.repeat(50)}`), true)
    assert.equal(isSelector(`${parts}${'a'.repeat(51)}`), false)
  })
})
