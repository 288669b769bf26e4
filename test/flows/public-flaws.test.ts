// Flaws that were found in other projects, tried on the flows that a mail completes. Each test
// names where the flaw is described.
//
// These have their tests elsewhere:
//
// | flaw | where | test |
// | --- | --- | --- |
// | a refused password burns the link | better-auth #10632 | password-reset.test.ts |
// | a code is keyed by address | better-auth #11023 | password-reset.test.ts |
// | the first to register keeps access | GHSA-qq9h-g4jm-xgf3 | password-reset.test.ts |
// | a link lives for two days | full-stack-fastapi-template | password-reset.test.ts |
// | a link works again | lemmy #3270, natlas #136 | password-reset.test.ts |
// | two confirmations at once | authentik PR 19967, keycloak #51220 | password-reset.test.ts |
// | sessions survive a reset | goiabada #106 | password-reset.test.ts |
// | a link after the address changed | dcrstakepool #320 | password-reset.test.ts |
// | a link is built from `Host` | hackathon-starter #1326 | password-reset.test.ts |
// | tokens in plain text at rest | apostrophe #1503 | password-reset.test.ts, at-rest.test.ts |
// | a new request voids older links | hexpm PR 686 | password-reset.test.ts |
// | codes can be guessed | textbee PR 238 | password-reset.test.ts, mail-guessing.test.ts |
// | the time tells that a user exists | keycloak #26625 | mail-enumeration.test.ts |
// | a scanner uses the link up | emdash #3298, authelia #2994 | test/browser/scanners.test.ts |
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { describeOnOne, password, type Stage } from '../../packages/server/test-support/keystile.ts'
import {
  hiddenFieldsOf,
  mailFlows,
  nextPassword,
  readMail,
  startMails,
  type MailFlow,
  type Person,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'
import { startMailServer } from '../../packages/server/test-support/mail-server.ts'

/** A flaw of another project, and a test that it is not in this one. */
interface Flaw {
  /** Where the flaw is described: an issue, a pull request, an advisory, a CVE or a CWE. */
  readonly source: string
  /** What holds here. */
  readonly title: string
  /** Options for the start of Keystile. */
  readonly options?: object
  test(started: TestMails, stage: Stage): Promise<void>
}

/** Checks that a link was not used up: it sets a password now. */
async function stillWorks({ confirm }: TestMails, token: string): Promise<void> {
  const { status, text } = await confirm({ token })
  assert.equal(status, 204, text)
}

/** A flow for which a person got a mail. */
interface AskedFlow {
  readonly flow: MailFlow
  readonly person: Person
  readonly token: string
  readonly code: string
  /** The id that belongs to the code. */
  readonly id: string
}

/** Checks that the link and the code of a flow open no other flow, and then that the link works. */
async function opensOnlyItself(
  { flow, person, token, code, id }: AskedFlow,
  { send }: TestMails,
  stage: Stage,
): Promise<void> {
  const isRefused = async (to: MailFlow): Promise<void> => {
    const proofs = [{ token }, ...(flow.idName && to.idName ? [{ [to.idName]: id, code }] : [])]
    for (const proof of proofs) {
      const sent = { ...to.fields(person), ...proof }
      const api = await send('POST', to.confirmPath, { json: sent })
      assert.equal(api.status, 403, `${flow.name} at ${to.name}: ${api.text}`)
      const page = await send('POST', to.page, { form: sent })
      assert.equal(page.status, 403, `${flow.name} at ${to.page}`)
    }
  }
  for (const to of mailFlows) if (to.confirmPath !== flow.confirmPath) await isRefused(to)

  // The endpoint of the flow itself refuses a purpose that it does not have. The link that
  // undoes a change of the address has a table of its own.
  if (flow.idName) {
    await stage.sql(`update mail_proof set purpose = 'not-' || purpose`)
    await isRefused(flow)
    await stage.sql(`update mail_proof set purpose = replace(purpose, 'not-', '')`)
  }
  const { status, text } = await send('POST', flow.confirmPath, {
    json: { ...flow.fields(person), token },
  })
  assert.ok(status === 201 || status === 204, `${flow.name}: ${text}`)
}

/** Returns how often each address got a mail with a link. */
function recipientsOf({ mails }: TestMails): readonly string[] {
  return mails.filter(({ text }) => text.includes('token=')).map(({ to }) => to)
}

/** Values of other types than a string, some of which another database reads as a query. */
const otherTypes: readonly unknown[] = [
  null,
  true,
  0,
  [],
  ['ada', 'eve@example.com'],
  {},
  { $ne: null },
  { $gt: '' },
  { toString: 'ada' },
  { length: 43 },
]

/** Strings that must not match a row without a token, a code or a request id. */
const emptyValues = ['', ' ', '\0', 'null', 'undefined', '0', '%', '*', "' or '1'='1", '__proto__']

const flaws: readonly Flaw[] = [
  {
    source: 'GitLab CVE-2023-7028, parse-server GHSA-vgjh-hmwf-c588',
    title: 'an array or an object instead of a string sends no mail and sets no password',
    async test(started) {
      const { addUser, asked, send, confirm, settled, mails } = started
      await addUser()
      await addUser({ username: 'eve', email: 'eve@example.com' })
      const { token, code, request_id } = await asked()
      for (const value of otherTypes) {
        const { status } = await send('POST', '/password-resets', { json: { login: value } })
        assert.equal(status, 422, JSON.stringify(value))
        for (const fields of [
          { token: value },
          { token: [token] },
          { request_id, code: value },
          { request_id: value, code },
          { token, new_password: value },
        ])
          assert.equal((await confirm(fields)).status, 422, JSON.stringify(fields))
      }
      for (const form of [
        'login=ada&login=eve%40example.com',
        'login[]=ada&login[]=eve%40example.com',
        'login[$ne]=x',
      ])
        assert.notEqual(
          (
            await send('POST', '/account/forgot-password', {
              form,
              headers: { origin: 'http://localhost:3000' },
            })
          ).headers.get('location'),
          'sent',
        )
      await settled()
      assert.equal(mails.length, 1)
      await stillWorks(started, token)
    },
  },
  {
    source: 'GitLab CVE-2023-7028',
    title: 'a reset request with several addresses as its login sends no mail',
    async test(started) {
      const { addUser, send, settled } = started
      await addUser()
      await addUser({ username: 'eve', email: 'eve@example.com' })
      for (const separator of [',', ';', ' ', '|', '%20', '\0', '\n', '\r\nBcc: ', '&login='])
        for (const login of [`ada@example.com${separator}eve@example.com`, `ada${separator}eve`])
          for (const [path, sent] of [
            ['/password-resets', { json: { login } }],
            [
              '/account/forgot-password',
              { form: { login }, headers: { origin: 'http://localhost:3000' } },
            ],
          ] as const)
            assert.ok((await send('POST', path, sent)).status < 500, login)
      await settled()
      assert.deepEqual(recipientsOf(started), [])
    },
  },
  {
    source: 'rails_jwt_auth #19, rubygems.org PR 6769',
    title: 'an empty token, code or request id matches no row, not even a row without a code',
    async test(started, stage) {
      const { addUser, asked, confirm, send } = started
      await addUser()
      const { token, request_id } = await asked()
      await send('POST', '/password-resets', { json: { login: 'unknown' } })
      await stage.sql('update mail_proof set code_hash = null')
      for (const value of emptyValues)
        for (const fields of [
          { token: value },
          { request_id: value, code: value },
          { request_id, code: value },
        ])
          assert.equal((await confirm(fields)).status, 403, JSON.stringify(fields))
      await stillWorks(started, token)
    },
  },
  {
    source: 'Django CVE-2019-19844, mozilla/fxa #9569',
    title: 'a look-alike address in a request never moves the mail to another mailbox',
    async test(started) {
      const { addUser, send, settled, mails } = started
      await addUser({ username: 'quack', email: 'Quack@Example.com' })
      await addUser({ username: 'mike', email: 'mike@bücher.example' })
      await addUser({ username: 'plus', email: 'duck+news@example.com' })
      const mailsTo = async (...logins: readonly string[]): Promise<readonly string[]> => {
        mails.length = 0
        for (const login of logins)
          assert.equal((await send('POST', '/password-resets', { json: { login } })).status, 202)
        await settled()
        return recipientsOf(started)
      }
      // The Kelvin sign is a K to Unicode itself, so the mail goes to the owner of the account.
      assert.deepEqual(
        await mailsTo('QUACK@EXAMPLE.COM', 'quac\u212a@example.com', 'quack@ｅxample.com'),
        ['Quack@example.com', 'Quack@example.com', 'Quack@example.com'],
      )
      assert.deepEqual(await mailsTo('MIKE@BÜCHER.example', 'mike@xn--bcher-kva.example'), [
        'mike@xn--bcher-kva.example',
        'mike@xn--bcher-kva.example',
      ])
      assert.deepEqual(await mailsTo('DUCK+news@example.com'), ['duck+news@example.com'])
      const strangers = [
        'qu\u0430ck@example.com', // a Cyrillic letter
        'quack@ex\u0430mple.com',
        'm\u0131ke@bücher.example', // a dotless i
        'M\u0130KE@bücher.example', // a dotted I
        'mike@bucher.example',
        'duck+other@example.com',
        'qu.ack@example.com',
        'quack@example.com.',
        'quack@example.com\u200b',
        '"quack"@example.com',
        'quack@example.com@evil.example',
        'quack@evil.example@example.com',
        '<quack@example.com>',
        ' quack@example.com',
      ]
      assert.deepEqual(await mailsTo(...strangers), [])
    },
  },
  {
    source: 'CTFd CVE-2020-7245',
    title: 'a look-alike user name can neither be registered nor get the other user’s mail',
    async test(started) {
      const { addUser, register, send, settled } = started
      await addUser()
      for (const username of ['ada ', ' ada', 'ada\t', 'аda', 'ada\u200b', 'ada@example.com'])
        assert.equal(
          (await register({ username, email: 'eve@example.com' })).status,
          422,
          JSON.stringify(username),
        )
      assert.equal((await register({ username: 'ADA', email: 'eve@example.com' })).status, 409)
      for (const login of ['ada ', ' ada', 'аda', 'ada\u200b', 'ａda'])
        await send('POST', '/password-resets', { json: { login } })
      await settled()
      assert.deepEqual(recipientsOf(started), [])
    },
  },
  {
    source: 'MIMEText #81, CWE-93',
    title: 'line ends in a login or an address add no header and no recipient to a mail',
    async test(started, stage) {
      await started.keystile.close()
      const server = await startMailServer()
      after(() => server.close()) // after this test
      const { addUser, send, register } = await stage.start({
        mailUrl: server.url,
        mailFrom: 'no-reply@example.com',
      })
      await addUser()
      for (const end of ['\r\n', '\n', '\r', '\u2028', '\0', '%0d%0a']) {
        const injected = `${end}Bcc: eve@example.com`
        for (const email of [`eve@example.com${injected}`, `a${injected}@example.com`])
          assert.equal((await register({ username: 'eve', email })).status, 422, email)
        for (const headers of [{}, { 'user-agent': 'Bcc: eve@example.com' }])
          for (const login of [`ada${injected}`, `ada@example.com${injected}`])
            await send('POST', '/password-resets', { json: { login }, headers })
      }
      await send('POST', '/password-resets', {
        json: { login: 'ada' },
        headers: { 'user-agent': 'Bcc: eve@example.com', 'accept-language': 'de' },
      })
      const [mail] = await server.received(1)
      assert.deepEqual(mail?.envelope.to, ['ada@example.com'])
      assert.doesNotMatch(mail?.raw ?? '', /bcc:|eve@/i)
      assert.equal(mail?.raw.match(/^(to|subject|from):/gim)?.length, 3)
      assert.equal(server.mails.length, 1)
    },
  },
  {
    source: 'ofbiz-framework PR 1664, OWASP CheatSheetSeries PR 2387',
    title: 'a mailed token works only at its own endpoint, which accepts no other credential',
    options: { cookieSession: true },
    async test(started) {
      const { addUser, asked, send, login, confirm, addClient, refresh } = started
      await addUser()
      const tokens = (await login()).json
      const client = await addClient()
      const mail = await asked()
      for (const secret of [mail.token, mail.request_id, mail.code]) {
        const bearer = secret.replace(' ', '')
        for (const [method, path] of [
          ['GET', '/users/me'],
          ['PATCH', '/users/me'],
          ['GET', '/users/me/sessions'],
          ['POST', '/users/me/password'],
          ['POST', '/users/me/email'],
          ['GET', '/users'],
        ] as const)
          assert.equal((await send(method, path, { bearer })).status, 401, path)

        assert.equal((await refresh(secret)).json['error'], 'invalid_grant')
        assert.equal((await login({ password: secret })).json['error'], 'invalid_grant')
        const codeGrant = { grant_type: 'authorization_code', code: secret }
        assert.equal((await send('POST', '/token', { form: codeGrant })).status, 400)
        const asClient = { grant_type: 'client_credentials', ...client, client_secret: secret }
        assert.equal((await send('POST', '/token', { form: asClient })).status, 401)
        const introspected = await send('POST', '/introspect', {
          form: { ...client, token: secret },
        })
        assert.notEqual(introspected.json['active'], true)
        await send('POST', '/revoke', { form: { token: secret } })
        const cookie = `__Secure-keystile=${bearer}`
        const headers = { origin: 'http://localhost:3000', cookie }
        assert.notEqual((await send('POST', '/session/refresh', { headers })).status, 200)
      }
      for (const name of ['access_token', 'refresh_token', 'device_secret']) {
        const secret = String(tokens[name])
        assert.equal((await confirm({ token: secret })).status, 403, name)
        const { request_id } = mail
        assert.equal((await confirm({ request_id, code: secret })).status, 403, name)
      }
      await stillWorks(started, mail.token)
    },
  },
  {
    source: 'rubygems.org PR 6769, CWE-639',
    title: 'a link or a code of one flow is refused in every other flow',
    async test(started, stage) {
      const asked: AskedFlow[] = []
      let last = started
      for (const [number, flow] of mailFlows.entries()) {
        // Two servers at once share the sending of mails.
        await last.keystile.close()
        last = await startMails(stage, flow.options)
        const username = `user-${number}`
        const person = { username, email: `${username}@example.com`, password }
        const { json } = await flow.ask(person, last)
        await last.settled()
        const { token, code } = readMail(last.mails.at(-1))
        asked.push({ flow, person, token, code, id: String(json[flow.idName ?? '']) })
      }
      await last.keystile.close()
      const all = await startMails(stage, { emailVerification: 'required' })
      for (const one of asked) await opensOnlyItself(one, all, stage)
    },
  },
  {
    source: 'OWASP WSTG 4.4.9, CWE-639',
    title: 'a confirmation that names another account never changes that account',
    async test(started) {
      const { addUser, asked, send, confirm, login } = started
      const ada = await addUser()
      await addUser({ username: 'eve', email: 'eve@example.com' })
      const eve = await asked('eve')
      for (const extra of [
        { login: 'ada' },
        { username: 'ada' },
        { email: 'ada@example.com' },
        { subject: ada, user_id: ada, id: ada },
        { request_id: (await asked('ada')).request_id },
      ])
        assert.equal((await confirm({ token: eve.token, ...extra })).status, 422)
      const form = {
        token: eve.token,
        new_password: nextPassword,
        login: 'ada',
        username: 'ada',
        email: 'ada@example.com',
        subject: ada,
      }
      assert.equal((await send('POST', '/account/reset-password', { form })).status, 200)
      assert.equal((await login({ username: 'eve', password: nextPassword })).status, 200)
      assert.equal((await login()).status, 200)
    },
  },
  {
    source: 'pkp-lib #8392, CWE-650',
    title: 'only a POST with a body sets a password, not a query or a method override',
    async test(started) {
      const { addUser, asked, send, login } = started
      await addUser()
      const { token, path } = await asked()
      const query = `token=${token}&new_password=${encodeURIComponent(nextPassword)}`
      const page = '/account/reset-password'
      const override = { 'x-http-method-override': 'POST', 'x-http-method': 'POST' }
      for (const url of [`${page}?${query}`, `${path}&_method=POST&${query}`])
        for (const method of ['GET', 'HEAD']) {
          const options = { headers: { ...override, 'x-method-override': 'POST' } }
          assert.equal((await send(method, url, options)).status, 200)
        }
      for (const method of ['PUT', 'PATCH', 'DELETE'])
        assert.equal((await send(method, `${page}?${query}`)).status, 405)
      const noFields = await send('POST', `${page}?${query}`, { form: {} })
      assert.equal(noFields.status, 403)
      const confirmation = `/password-resets/confirm?${query}`
      assert.equal((await send('POST', confirmation, { json: {} })).status, 422)
      assert.equal((await send('GET', confirmation)).status, 405)
      assert.equal((await login()).status, 200)
      await stillWorks(started, token)
    },
  },
  {
    source: 'next-auth #1840',
    title: 'a mail scanner that submits the form of a page does not use up the link',
    async test(started) {
      const { addUser, asked, send, login } = started
      await addUser()
      const { token, path, code, request_id } = await asked()
      for (const form of [
        hiddenFieldsOf((await send('GET', path)).text),
        { token, new_password: '' },
        { token, new_password: 'test' },
        { request_id, code },
        { request_id, code, new_password: '1' },
      ]) {
        const pressed = await send('POST', '/account/reset-password', { form })
        assert.equal(pressed.status, 422)
      }
      assert.equal((await login()).status, 200)
      await stillWorks(started, token)
    },
  },
  {
    source: 'tidepool-org/blip #874, thoughtbot/clearance PR 706',
    title: 'no page or answer passes a token on: no Referer, no foreign link, no redirect',
    async test(started) {
      const { addUser, asked, send } = started
      await addUser()
      const { token, path, code, request_id } = await asked()
      const answers = [
        await send('GET', path),
        await send('POST', '/account/reset-password', { form: { token, new_password: 'x' } }),
        await send('POST', '/account/reset-password', {
          form: { request_id, code: '0', new_password: nextPassword },
        }),
        await send('POST', '/account/reset-password', {
          form: { request_id, code, new_password: nextPassword },
        }),
      ]
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 422, 403, 200],
      )
      for (const { headers, text } of answers) {
        assert.equal(headers.get('referrer-policy'), 'no-referrer')
        assert.equal(headers.get('cache-control'), 'no-store')
        assert.equal(headers.get('location'), null)
        assert.equal(headers.get('set-cookie'), null)
        const sent = JSON.stringify([...headers])
        for (const secret of [token, code, request_id]) assert.ok(!sent.includes(secret))
        for (const [, target = ''] of text.matchAll(/(?:href|src|action)="([^"]*)"/g))
          assert.match(target, /^(forgot-password|reset-password|http:\/\/localhost:3000\/)$/)
      }
    },
  },
  {
    source: 'better-auth CVE-2024-56734',
    title: 'no parameter makes a page, an answer or a mail lead to another host',
    async test(started) {
      const { addUser, send, settled, mails } = started
      await addUser()
      const names = ['callbackURL', 'redirectTo', 'redirect_uri', 'next', 'returnTo', 'url']
      const evil = Object.fromEntries(names.map((name) => [name, 'https://evil.example']))
      const query = new URLSearchParams(evil).toString()
      const answers = [
        await send('POST', `/password-resets?${query}`, { json: { login: 'ada' } }),
        await send('POST', `/account/forgot-password?${query}`, {
          form: { login: 'ada', ...evil },
          headers: { origin: 'http://localhost:3000' },
        }),
        await send('GET', `/account/forgot-password?${query}`),
        await send('GET', `/account/reset-password?token=x&${query}`),
        await send('POST', '/account/reset-password', { form: { token: 'x', ...evil } }),
      ]
      await settled()
      assert.equal(recipientsOf(started).length, 2)
      for (const { text, headers } of answers)
        assert.doesNotMatch(text + JSON.stringify([...headers]), /evil/)
      for (const { text, html } of mails) assert.doesNotMatch(`${text}${html}`, /evil/)
      const json = { login: 'ada', ...evil }
      assert.equal((await send('POST', '/password-resets', { json })).status, 422)
    },
  },
  {
    source: 'Eventra #16195',
    title: 'the answer to a request for a mail contains neither the token nor the code of the mail',
    async test(started) {
      const { addUser, send, settled, mails, confirm } = started
      await addUser()
      const api = await send('POST', '/password-resets', { json: { login: 'ada' } })
      const sent = await send('POST', '/account/forgot-password', {
        form: { login: 'ada' },
        headers: { origin: 'http://localhost:3000' },
      })
      const location = sent.headers.get('location') ?? ''
      const page = await send('GET', location.replace('/auth', ''))
      await settled()
      assert.deepEqual(Object.keys(api.json), ['request_id'])
      assert.deepEqual(Object.keys(hiddenFieldsOf(page.text)), ['request_id'])
      assert.equal(mails.length, 2)
      for (const { token, code } of mails.map(readMail))
        for (const { text, headers } of [api, sent, page])
          for (const secret of [token, code, code.replace(' ', '')])
            assert.ok(!(text + JSON.stringify([...headers])).includes(secret))
      assert.equal((await confirm({ token: api.json['request_id'] })).status, 403)
    },
  },
  {
    source: 'i18n-node #486, CWE-22',
    title: 'an Accept-Language with a file path or a JavaScript name gets the configured language',
    options: { mailLanguage: 'fr' },
    async test(started) {
      const { addUser, send, settled, mails } = started
      await addUser()
      for (const header of [
        '../../../../etc/passwd',
        '..%2f..%2fetc%2fpasswd',
        'de/../../en',
        '__proto__',
        'constructor',
        'toString',
        'en"><script>alert(1)</script>',
        'de;q=9',
      ]) {
        const headers = { 'accept-language': header }
        const page = await send('GET', '/account/forgot-password', { headers })
        assert.equal(page.headers.get('content-language'), 'fr', header)
        assert.doesNotMatch(page.text, /passwd|alert/)
      }
      const headers = { 'accept-language': '__proto__' }
      await send('POST', '/password-resets', { json: { login: 'ada' }, headers })
      await settled()
      assert.equal(mails[0]?.subject, 'Nouveau mot de passe pour localhost:3000')
    },
  },
  {
    source: 'CWE-1333',
    title: 'a very long or malformed Accept-Language header does not prevent the answer',
    async test(started) {
      const { send } = started
      for (const header of [
        'de,'.repeat(5_000),
        `de;q=0.${'0'.repeat(10_000)}`,
        `${'a-'.repeat(8_000)}!`,
        `de${' '.repeat(10_000)};q=x`,
        `${'-1'.repeat(400)};`,
      ]) {
        const headers = { 'accept-language': header }
        const { status } = await send('GET', '/account/forgot-password', { headers })
        assert.equal(status, 200)
      }
    },
  },
  {
    source: 'lakeFS #3175, contao #7502',
    title: 'all spellings, IP addresses and endpoints share a mailbox’s limit of ten mails a day',
    options: { rateLimits: 'on', trustedProxies: ['127.0.0.1'] },
    async test(started) {
      const { addUser, send, settled, clock } = started
      await addUser()
      const spellings = ['ada', 'ADA', 'ada@example.com', 'Ada@EXAMPLE.com', 'aDa']
      let asked = 0
      for (let hour = 0; hour < 24; hour += 2) {
        for (const login of spellings) {
          const from = {
            remoteAddress: '127.0.0.1',
            headers: {
              'x-forwarded-for': `10.0.${hour}.${asked++ % 250}`,
              origin: 'http://localhost:3000',
            },
          }
          await send('POST', '/password-resets', { ...from, json: { login } })
          await send('POST', '/account/forgot-password', { ...from, form: { login } })
        }
        await settled()
        if (hour === 0) assert.equal(recipientsOf(started).length, 3)
        clock.advance(2 * 3_600)
      }
      // The tenth mail would be sent after 24 hours.
      assert.equal(recipientsOf(started).length, 9)
    },
  },
  {
    source: 'laravel/framework #13658',
    title: 'rate limits give the same answers for an existing and an unknown login name',
    options: { rateLimits: 'on' },
    async test(started) {
      const { addUser, send, settled } = started
      await addUser()
      const told = async (login: string): Promise<unknown> => {
        const seen: unknown[] = []
        for (let count = 0; count < 8; count++) {
          const { status, headers, text } = await send('POST', '/password-resets', {
            json: { login },
          })
          const masked = text.replace(/"[\w-]{43}"/, '')
          seen.push([status, headers.get('retry-after'), masked])
          // A mail that was sent must not change the answer to the next request.
          if (count === 0) await settled()
        }
        return seen
      }
      assert.deepEqual(await told('ada'), await told('bob'))
      assert.deepEqual(await told('ada@example.com'), await told('bob@example.com'))
    },
  },
  {
    source: 'akeneo PIM-10128, metabase #77560',
    title: 'a link of a disabled account neither sets a password nor enables the account',
    async test(started) {
      const { addUser, asked, disable, confirm, users, login, send, settled, mails } = started
      const subject = await addUser()
      const { token, code, request_id } = await asked()
      await disable(subject)
      await settled()
      for (const proof of [{ token }, { request_id, code }])
        assert.equal((await confirm(proof)).status, 403)
      assert.equal((await users.readBySubject(subject))?.active, false)
      mails.length = 0
      await send('POST', '/password-resets', { json: { login: 'ada' } })
      await settled()
      assert.deepEqual(mails, [])
      assert.equal((await login({ password: nextPassword })).status, 400)
    },
  },
  {
    source: 'CWE-672',
    title: 'the link of a deleted account does not open a new account with the same address',
    async test(started) {
      const { addUser, asked, keystile, confirm, login } = started
      const first = await addUser()
      const { token, code, request_id } = await asked()
      await keystile.users?.delete(first)
      // Deleting frees the address, and keeps the name taken.
      const second = await addUser({ username: 'eve' })
      assert.notEqual(first, second)
      for (const proof of [{ token }, { request_id, code }])
        assert.equal((await confirm(proof)).status, 403)
      assert.equal((await login({ username: 'eve' })).status, 200)
    },
  },
  {
    source: 'CWE-672',
    title: 'after an address moves to another account, the older link opens neither account',
    async test(started) {
      const { addUser, asked, users, confirm, login } = started
      const ada = await addUser()
      const { token, code, request_id } = await asked()
      const found = await users.readBySubject(ada)
      assert.ok(found)
      const email = { shown: 'new@example.com', key: 'new@example.com' }
      assert.equal(await users.changeEmail(found, email, { actor: 'operator' }), 'changed')
      await addUser({ username: 'eve', email: 'ada@example.com' })
      for (const proof of [{ token }, { request_id, code }])
        assert.equal((await confirm(proof)).status, 403)
      for (const username of ['ada', 'eve'])
        assert.equal((await login({ username })).status, 200, username)
    },
  },
  {
    source: 'Django CVE-2013-1443, better-auth #880',
    title: 'a weak new password gets 422 and a huge one 413, and the link stays valid',
    async test(started) {
      const { addUser, asked, send, confirm, login } = started
      await addUser()
      const { token } = await asked()
      for (const new_password of [
        '',
        'short',
        'x'.repeat(1_025),
        'passwordpassword',
        'ada@example.com',
      ]) {
        assert.equal((await confirm({ token, new_password })).status, 422, new_password)
        const form = { token, new_password }
        assert.equal((await send('POST', '/account/reset-password', { form })).status, 422)
      }
      const huge = 'x'.repeat(2 ** 20)
      assert.equal((await confirm({ token, new_password: huge })).status, 413)
      const form = { token, new_password: huge }
      assert.equal((await send('POST', '/account/reset-password', { form })).status, 413)
      assert.equal((await login()).status, 200)
      await stillWorks(started, token)
    },
  },
  {
    source: 'CWE-601, CWE-79',
    title: 'account pages escape every value that a request contains',
    async test(started) {
      const { send } = started
      const evil = '"><img src=x onerror=alert(1)>\'</title><script>alert(1)</script>&lt;'
      const query = new URLSearchParams({ token: evil }).toString()
      const pages = [
        await send('GET', `/account/reset-password?${query}`),
        await send('POST', '/account/reset-password', {
          form: { token: evil, new_password: nextPassword },
        }),
        await send('POST', '/account/reset-password', {
          form: { request_id: evil, code: evil, new_password: nextPassword },
        }),
        await send('POST', '/account/forgot-password', {
          form: { login: evil },
          headers: { origin: 'http://localhost:3000' },
        }),
      ]
      for (const { text } of pages) assert.doesNotMatch(text, /<img|<script|<\/title>'|"><i/)
      assert.match(pages[2]?.text ?? '', /value="&/)
    },
  },
]

describe('flaws', { concurrency: 2 }, () =>
  describeOnOne('SQLite', 'flaws of other projects', (stage) => {
    for (const { source, title, options, test } of flaws)
      it(`${title} (${source})`, async () => test(await startMails(stage, options), stage))
  }),
)
