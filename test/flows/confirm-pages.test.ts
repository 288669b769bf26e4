// The pages that verify an address: what people see, and what scanners cannot use up.
import assert from 'node:assert/strict'
import { afterEach, it } from 'node:test'
import type { AppMail, MailMessage } from '@keystile/server'
import {
  describeOnOne,
  password,
  type Answer,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

describeOnOne('SQLite', 'the pages that verify an address', (stage) => {
  const mails: MailMessage[] = []
  afterEach(() => void (mails.length = 0))
  const mail: AppMail = { from: 'no-reply@example.com', send: (sent) => void mails.push(sent) }

  /** Starts, registers ada, and returns the path and the token of the link in the mail. */
  const start = async (
    emailVerification: 'optional' | 'required',
    options: object = {},
  ): Promise<TestKeystile & { readonly path: string; readonly token: string }> => {
    const all = { mail, emailVerification, ...options } as Parameters<Stage['start']>[0]
    const started = await stage.start(all)
    await started.register()
    await until(() => mails.length > 0)
    const { pathname, search, searchParams } = new URL(
      /^http\S+$/m.exec(mails.pop()?.text ?? '')?.[0] ?? '',
    )
    const token = searchParams.get('token') ?? ''
    return { ...started, path: pathname.replace('/auth', '') + search, token }
  }

  for (const [emailVerification, page, done] of [
    ['optional', '/account/verify-email', 'Your address is confirmed'],
    ['required', '/account/finish-registration', 'Your account is ready'],
  ] as const) {
    it(`${page} takes a mailed link and the password, and confirms the address`, async () => {
      const { send, path, token, login } = await start(emailVerification)
      const form = await send('GET', path)
      assert.equal(form.status, 200)
      assert.deepEqual(hiddenOf(form), { token })
      assert.match(form.text, /autocomplete="current-password"/)
      assert.doesNotMatch(form.text, /name="username"|<script|src=/)
      const wrong = await send('POST', page, { form: { token, password: 'wrong' } })
      assert.equal(wrong.status, 403)
      assert.match(wrong.text, /id="password-fault" role="alert">The password is wrong/)
      assert.doesNotMatch(wrong.text, /value="wrong"/)

      const answer = await send('POST', page, { form: { ...hiddenOf(wrong), password } })
      assert.deepEqual([answer.status, headingOf(answer)], [200, done])
      const bearer = (await login()).json['access_token'] as string
      assert.equal((await send('GET', '/users/me', { bearer })).json['email_verified'], true)

      for (const again of [
        await send('POST', page, { form: { token, password } }),
        await send('GET', path),
      ]) {
        assert.deepEqual(
          [again.status, headingOf(again)],
          [403, 'This link does not work any more'],
        )
        assert.doesNotMatch(again.text, /<form/)
      }
    })

    it(`${page} still works after scanners have opened the link (emdash #3298)`, async () => {
      const { send, path, token } = await start(emailVerification)
      const statuses = []
      for (const method of ['GET', 'HEAD', 'GET', 'GET', 'HEAD', 'OPTIONS'])
        statuses.push((await send(method, path, { headers: { purpose: 'prefetch' } })).status)
      assert.deepEqual(statuses, [200, 200, 200, 200, 200, 405])
      // Some scanners also send the form as it is.
      assert.equal((await send('POST', page, { form: { token } })).status, 403)
      assert.equal((await send('POST', page, { form: { token, password } })).status, 200)
    })

    it(`${page} sends no Referer, loads nothing, and says that a link is not complete`, async () => {
      const { send, path } = await start(emailVerification)
      const good = await send('GET', path)
      assert.equal(good.headers.get('referrer-policy'), 'no-referrer')
      assert.match(good.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
      const none = await send('GET', page)
      assert.match(none.text, /This link is not complete/)
    })

    it(`${page} has four languages, and a label for each field`, async () => {
      const { send, path } = await start(emailVerification)
      const headings = []
      for (const language of ['en', 'de', 'fr', 'es']) {
        const form = await send('GET', path, { headers: { 'accept-language': language } })
        assert.ok(form.text.includes(`<html lang="${language}">`))
        headings.push(headingOf(form))
        for (const [, id = ''] of form.text.matchAll(/<input id="(\w+)"/g))
          assert.ok(form.text.includes(`<label for="${id}">`), id)
      }
      assert.equal(new Set(headings).size, 4)
    })

    it(`${page} answers 400 to a body that is not a form`, async () => {
      const { send } = await start(emailVerification)
      const { status, headers } = await send('POST', page, { json: {} })
      assert.deepEqual([status, headers.get('content-type')], [400, 'application/problem+json'])
    })
  }

  it('/account/finish-registration asks for another user name if the name was taken', async () => {
    const { send, token, keystile, login } = await start('required')
    await keystile.users?.create({ username: 'ada', password })
    const post = (form: Readonly<Record<string, string>>): Promise<Answer> =>
      send('POST', '/account/finish-registration', { form: { token, password, ...form } })
    const taken = await post({})
    assert.equal(taken.status, 409)
    assert.match(taken.text, /id="username-fault" role="alert">This user name is not available/)
    const bad = await post({ username: '"><script>' })
    assert.equal(bad.status, 422)
    assert.match(bad.text, /id="username-fault" role="alert">2 to 63 letters/)
    assert.doesNotMatch(bad.text, /<script/)
    const telling = await post({ username: 'correct-horse' })
    assert.equal(telling.status, 422)
    assert.match(telling.text, /<span lang="en">Password should not/)
    const wrong = await post({ username: 'ada2', password: 'wrong' })
    assert.match(wrong.text, /name="username"[^>]*value="ada2"/)
    assert.equal((await post({ username: 'ada2' })).status, 200)
    assert.equal((await login({ username: 'ada2' })).status, 200)
  })

  it('/account/finish-registration shows an error if another user took the address', async () => {
    const { send, token, keystile } = await start('required')
    await keystile.users?.create({ username: 'eve', email: 'ada@example.com', password })
    const form = { token, password }
    const taken = await send('POST', '/account/finish-registration', { form })
    assert.equal(taken.status, 409)
    assert.match(taken.text, /role="alert">.*There is an account with this address now/)
  })

  it('/account/finish-registration says that there were too many wrong passwords', async () => {
    const { send, token } = await start('required', { rateLimits: 'on' })
    const post = (): Promise<Answer> =>
      send('POST', '/account/finish-registration', { form: { token, password: 'wrong' } })
    for (let count = 0; count < 10; count++) assert.equal((await post()).status, 403)
    const refused = await post()
    assert.equal(refused.status, 429)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.match(refused.text, /role="alert">.*Too many tries/)
  })

  it('with accountPagesUrl, links lead to the app, and Keystile has no pages', async () => {
    const { send, path, token } = await start('required', {
      accountPagesUrl: 'https://app.example/account/',
    })
    assert.equal(path, `/account/finish-registration?token=${token}`)
    assert.equal((await send('GET', '/account/finish-registration')).status, 404)
  })
})

/** Returns the hidden fields of the form in a page. */
function hiddenOf({ text }: Answer): Readonly<Record<string, string>> {
  const fields = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)
  return Object.fromEntries(Array.from(fields, ([, name, value]) => [name, value]))
}

function headingOf({ text }: Answer): string | undefined {
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1]
}
