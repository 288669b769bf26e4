// The link in the mail about the first second factor: its owner undoes what a thief has set up.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MailMessage } from '@keystile/server'
import { createAuthenticatorApp } from 'keystile/testing'
import { callCommand } from '../../packages/server/test-support/command.ts'
import {
  bothDirectories,
  describeOnBoth,
  issuer,
  key,
  password,
  tokensOf,
  type Answer,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import {
  hiddenFieldsOf,
  nextPassword,
  readMail,
  startMails,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'
import { startWithMailbox } from '../../packages/server/test-support/mailbox.ts'
import {
  appCode,
  beginEnrolment,
  enrol,
  giveApps,
  tokensWithFactor,
  type Enrolled,
} from '../../packages/server/test-support/second-factor.ts'

const undoes = /undo-factor\?token=/

/** Starts Keystile with mails, and a user with a verified address. */
async function start(
  stage: Stage,
  options: Parameters<Stage['start']>[0] = {},
): Promise<TestMails> {
  const started = await startMails(stage, { secondFactor: 'optional', ...options })
  const { users } = started.keystile
  await users?.create({ username: 'ada', email: 'ada@example.com', password, emailVerified: true })
  return started
}

/** Sets up a factor, and returns the mail about it. */
async function setUp(started: TestMails): Promise<{ thief: Enrolled; mail: MailMessage }> {
  const thief = await enrol(started, started.clock)
  await started.settled()
  const mail = started.mails.at(-1)
  assert.ok(mail)
  return { thief, mail }
}

const undo = ({ send }: TestMails, mail: MailMessage): Promise<Answer> =>
  send('POST', '/factors/undo', { json: { token: readMail(mail).token } })

/** Makes recovery codes, until the mailbox has no room for mails about factors. */
async function useUpMails(started: TestMails, thief: Enrolled): Promise<void> {
  const { accessToken: bearer } = await tokensWithFactor(thief)
  const statuses: number[] = []
  for (let n = 0; n < 3; n++)
    statuses.push(
      (await started.send('POST', '/users/me/factors/recovery-codes', { bearer })).status,
    )
  assert.deepEqual(statuses, [200, 200, 429])
}

describeOnBoth('the link that undoes the first second factor', (stage) => {
  it('removes the factor, the password and the sessions, and leads to a new password', async () => {
    const started = await start(stage)
    const { send, login, mails, settled } = started
    const { thief, mail } = await setUp(started)
    const begun = await login()
    assert.equal(begun.status, 403)

    assert.equal((await undo(started, mail)).status, 204)
    const { accessToken: bearer } = thief
    assert.equal((await send('GET', '/users/me/factors', { bearer })).status, 401)
    const form = { auth_session: begun.json['auth_session'], otp: thief.nextCode() }
    assert.equal((await send('POST', '/token', { form })).json['error'], 'invalid_session')
    assert.equal((await login()).json['error'], 'invalid_grant')
    const rows = await stage.sql('select subject from authenticator_app')
    assert.deepEqual([...rows, ...(await stage.sql('select subject from recovery_code'))], [])

    await settled()
    const subjects = mails.slice(-2).map(({ subject }) => subject)
    assert.match(
      subjects.toSorted().join('; '),
      /new password .*; .* no authenticator app any more/,
    )
    const reset = mails.findLast(({ text }) => text.includes('reset-password'))
    assert.match(reset?.text ?? '', /old password does not work any more/)
    assert.doesNotMatch(mails.map(({ text }) => text).join(), /stays as it is|only your password/)
    assert.equal((await started.confirm({ token: readMail(reset).token })).status, 204)
    assert.equal((await login({ password: nextPassword })).status, 200)

    const events = await stage.sql("select * from audit where event = 'factor_undone'")
    assert.deepEqual(
      events.map(({ actor, subject }) => [actor, subject]),
      [['nobody', thief.subject]],
    )
  })

  it('works once, for seven days, and only as long as the account has its mailbox', async () => {
    const started = await start(stage)
    const { clock, send } = started
    const { thief, mail } = await setUp(started)
    const isOpen = async (): Promise<boolean> =>
      (await send('GET', readMail(mail).path)).text.includes('<form')
    clock.advance(7 * 24 * 3_600 - 61)
    assert.equal(await isOpen(), true)
    await stage.sql('update "user" set email_key = \'other@example.com\'')
    assert.equal((await undo(started, mail)).status, 403)
    await stage.sql('update "user" set email_key = \'ada@example.com\'')
    clock.advance(61)
    assert.deepEqual([await isOpen(), (await undo(started, mail)).status], [false, 403])
    clock.advance(-61)
    assert.equal((await undo(started, mail)).status, 204)
    assert.deepEqual([await isOpen(), (await undo(started, mail)).status], [false, 403])
    assert.equal((await thief.login()).status, 400)
  })

  it('works only in the mailbox that got it, also if the new address differs in its case', async () => {
    const started = await start(stage)
    const { send, mails, settled } = started
    await stage.sql(`update "user" set email = 'ünal@example.com', email_key = 'ünal@example.com'`)
    const { thief, mail } = await setUp(started)
    assert.equal(mail.to, 'ünal@example.com')

    const { accessToken: bearer } = await tokensWithFactor(thief)
    const change = { current_password: password, new_email: 'Ünal@example.com' }
    assert.equal((await send('POST', '/users/me/email', { bearer, json: change })).status, 202)
    await settled()
    const confirmation = mails.findLast(({ to }) => to === 'Ünal@example.com')
    assert.ok(confirmation)
    const json = { token: readMail(confirmation).token }
    assert.equal((await send('POST', '/email-changes/confirm', { bearer, json })).status, 204)
    assert.equal((await undo(started, mail)).status, 403)

    await settled()
    const link = mails.findLast(({ text }) => text.includes('undo-email-change?token='))
    assert.equal(link?.to, 'ünal@example.com')
    const undone = { token: readMail(link).token }
    assert.equal((await send('POST', '/email-changes/undo', { json: undone })).status, 204)
    assert.deepEqual(await stage.sql('select subject from authenticator_app'), [])
  })

  it('an undone change of the address leaves an app that a server with a fast clock set up before', async () => {
    const started = await start(stage)
    const { send, mails, settled, clock } = started
    const owner = await enrol(started, clock)
    const mailTo = async (to: string, path: string): Promise<string> => {
      await settled()
      const mail = mails.findLast((one) => one.to === to && one.text.includes(path))
      return readMail(mail).token
    }
    const { accessToken: bearer } = await tokensWithFactor(owner)
    // The link of the first app is used up, and a server whose clock was ahead set up the app.
    await stage.sql('delete from mail_proof')
    await stage.sql('update authenticator_app set created_at = created_at + 7200000')
    const change = { current_password: password, new_email: 'ada@example.org' }
    assert.equal((await send('POST', '/users/me/email', { bearer, json: change })).status, 202)
    const json = { token: await mailTo('ada@example.org', '?token=') }
    assert.equal((await send('POST', '/email-changes/confirm', { bearer, json })).status, 204)

    const undone = { token: await mailTo('ada@example.com', 'undo-email-change') }
    assert.equal((await send('POST', '/email-changes/undo', { json: undone })).status, 204)
    assert.equal((await stage.sql('select subject from authenticator_app')).length, 1)
  })

  it('works after a restore: the backup may have the factor of a thief', async () => {
    const started = await start(stage)
    const { mail } = await setUp(started)
    const { code } = await callCommand(['finish-restore', '--issuer', issuer], {
      cwd: import.meta.dirname,
      env: { KEYSTILE_DATABASE: stage.database, KEYSTILE_KEY: key },
    })
    assert.equal(code, 0)
    assert.equal((await undo(started, mail)).status, 204)
    assert.deepEqual(await stage.sql('select subject from authenticator_app'), [])
  })

  it('a stranger who registers an address first cannot add a factor that its owner meets', async () => {
    const started = await startMails(stage, {
      secondFactor: 'optional',
      emailVerification: 'optional',
    })
    const { accessToken: bearer, subject } = await started.tokens()
    const refused = await started.send('POST', '/users/me/factors/totp', { bearer })
    assert.equal(refused.status, 403)
    assert.match(refused.json['detail'], /must be verified/)

    // The account has one nevertheless, because it was imported.
    await giveApps(stage, [subject])
    assert.equal((await started.login()).status, 403)
    const { token } = await started.asked('ada@example.com')
    assert.equal((await started.confirm({ token })).status, 204)
    assert.equal((await started.login({ password: nextPassword })).status, 200)

    await started.settled()
    const subjects = started.mails.map((mail) => mail.subject)
    assert.ok(subjects.some((text) => text.includes('no authenticator app any more')))
    const removed = await stage.sql("select subject from audit where event = 'factor_undone'")
    assert.deepEqual(
      removed.map((row) => row['subject']),
      [subject],
    )
  })

  it('is in a mail to a verified address, also if the account gets the address at last', async () => {
    const started = await startMails(stage, { secondFactor: 'optional', emailVerification: 'off' })
    const { keystile, send, clock } = started
    await keystile.users?.create({ username: 'ada', password })
    const bearer = (await started.login()).json['access_token'] as string
    const begun = await send('POST', '/users/me/factors/totp', { bearer })
    const json = { current_password: password, new_email: 'victim@example.com' }
    assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 204)

    const code = createAuthenticatorApp(begun.json['secret']).code(new Date(clock.now()))
    const done = await send('POST', '/users/me/factors/totp/confirm', { bearer, json: { code } })
    assert.equal(done.status, 403)
    assert.match(done.json['detail'], /must be verified/)
    assert.equal((await started.login()).status, 200)
  })

  it('goes to no address that another process has just changed, where it would not work', async () => {
    const started = await start(stage)
    const { mails, settled, login, clock } = started
    const moved = (): Promise<void> =>
      stage
        .sql("update \"user\" set email = 'ada@example.org', email_key = 'ada@example.org'")
        .then(() => {})
    await assert.rejects(enrol(started, clock, 'ada', moved), /begin again/)
    await settled()
    assert.deepEqual([mails.length, (await login()).status], [0, 200])
  })

  it('is not in the mail about another app, and still undoes both', async () => {
    const started = await start(stage)
    const { send, clock, mails, settled, login } = started
    const { thief, mail } = await setUp(started)
    assert.match(mail.text, undoes)
    const { accessToken: bearer } = await tokensWithFactor(thief)
    const begun = await send('POST', '/users/me/factors/totp', { bearer })
    const app = createAuthenticatorApp(begun.json['uri'])
    const confirmed = await send('POST', '/users/me/factors/totp/confirm', {
      bearer,
      json: { code: app.code(new Date(clock.now())) },
    })
    assert.equal(confirmed.status, 200)
    await settled()
    assert.match(mails.at(-1)?.subject ?? '', /has another authenticator app now/)
    assert.match(mails.at(-1)?.text ?? '', /was\s+replaced/)
    assert.doesNotMatch(mails.at(-1)?.text ?? '', undoes)
    assert.equal((await undo(started, mail)).status, 204)
    assert.equal((await login()).json['error'], 'invalid_grant')
    assert.equal((await send('POST', '/factors/undo', { json: { token: 'x' } })).status, 403)
  })

  it('a new password does not disable it', async () => {
    const started = await start(stage)
    const { thief, mail } = await setUp(started)
    const { accessToken: bearer } = await tokensWithFactor(thief)
    const changed = await started.send('POST', '/users/me/password', {
      bearer,
      json: { current_password: password, new_password: nextPassword },
    })
    assert.equal(changed.status, 204, changed.text)
    assert.equal((await undo(started, mail)).status, 204)
    assert.equal((await started.login({ password: nextPassword })).json['error'], 'invalid_grant')
  })

  it('leaves the links for a new password, so a thief who adds a factor cannot use them up', async () => {
    for (const secondFactor of ['optional', 'required'] as const) {
      const running = await startWithMailbox(stage, { secondFactor })
      const { send, mailTo, keystile } = running
      await running.addUser()
      await stage.sql('update "user" set email_verified_at = 1')
      const asked = await send('POST', '/password-resets', { json: { login: 'ada' } })
      assert.equal(asked.status, 202)
      const { token } = await mailTo('ada@example.com')
      if (secondFactor === 'optional') await enrol(running, running.clock)
      else assert.equal((await (await beginEnrolment(running)).end()).status, 200)
      const json = { token, new_password: nextPassword }
      const { status, text } = await send('POST', '/password-resets/confirm', { json })
      assert.equal(status, 204, `${secondFactor}: ${text}`)
      await stage.sql('delete from "user"')
      await keystile.close()
    }
  })

  it('a first factor cancels a change of the address that was asked for before', async () => {
    const running = await startWithMailbox(stage, { secondFactor: 'optional' })
    const { send, mailTo, clock } = running
    await running.addUser()
    await stage.sql('update "user" set email_verified_at = 1')
    const bearer = await running.accessToken()
    const change = { current_password: password, new_email: 'ada@new.example' }
    assert.equal((await send('POST', '/users/me/email', { bearer, json: change })).status, 202)
    const { token } = await mailTo('ada@new.example')
    const ada = await enrol(running, clock)
    const { accessToken } = await tokensWithFactor(ada)
    const confirmed = await send('POST', '/email-changes/confirm', {
      bearer: accessToken,
      json: { token },
    })
    assert.equal(confirmed.status, 403, confirmed.text)
  })

  it('does not work while the account has no factor, and keeps the password of its owner', async () => {
    const started = await start(stage)
    const { send, clock } = started
    const { thief: owner, mail } = await setUp(started)
    const { accessToken: bearer } = await tokensWithFactor(owner)
    assert.equal((await send('DELETE', '/users/me/factors/totp', { bearer })).status, 204)
    assert.match(
      (await send('GET', readMail(mail).path)).text,
      /If you added or removed the app yourself/,
    )
    assert.equal((await undo(started, mail)).status, 403)
    assert.equal((await started.login()).status, 200)

    // A thief cannot use up the link in this way: while there is a factor, there is a link.
    clock.advance(3_600)
    const { mail: next } = await setUp(started)
    assert.match(next.text, undoes)
    assert.equal((await undo(started, mail)).status, 403)
    assert.equal((await undo(started, next)).status, 204)
    assert.deepEqual(await stage.sql('select subject from authenticator_app'), [])
  })

  it('stays, unused, while the account has no factor', async () => {
    const started = await start(stage)
    const { thief, mail } = await setUp(started)
    const apps = await stage.sql('delete from authenticator_app returning subject')
    assert.equal(apps.length, 1)
    assert.equal((await undo(started, mail)).status, 403)
    await giveApps(stage, [thief.subject])
    assert.equal((await undo(started, mail)).status, 204)
  })

  it('opens a page of Keystile, also if the app has pages of its own', async () => {
    for (const options of [{}, { accountPagesUrl: 'https://app.example.com/account' }]) {
      const started = await start(stage, options)
      const { mail } = await setUp(started)
      assert.ok(mail.text.includes(`${started.keystile.issuer}/account/undo-factor?token=`))
      const { text } = await started.send('GET', readMail(mail).path)
      const form = hiddenFieldsOf(text)
      const done = await started.send('POST', '/account/undo-factor', { form })
      assert.match(done.text, /The app is removed/)
      assert.match(done.text, /Your old password does not work any more/)
      const leads = /href="\/auth\/account\/forgot-password">Request a new mail</
      assert.equal(leads.test(done.text), !('accountPagesUrl' in options))
      await stage.sql('delete from "user"')
      await started.keystile.close()
    }
  })

  it('if the mailbox has no room for it, no factor is added', async () => {
    const started = await start(stage)
    const { send } = started
    const { accessToken: bearer } = await tokensWithFactor((await setUp(started)).thief)
    const codes = (): Promise<Answer> =>
      send('POST', '/users/me/factors/recovery-codes', { bearer })
    assert.equal((await codes()).status, 200)
    assert.equal((await send('DELETE', '/users/me/factors/totp', { bearer })).status, 204)

    await assert.rejects(enrol(started, started.clock), /too many mails about second factors/)
    assert.equal((await started.login()).status, 200)
  })

  it('an undo makes room for the mail about another app', async () => {
    const started = await start(stage)
    const { thief, mail } = await setUp(started)
    await useUpMails(started, thief)
    assert.equal((await undo(started, mail)).status, 204)
    await started.settled()
    const reset = started.mails.findLast(({ text }) => text.includes('reset-password'))
    const set = await started.confirm({ token: readMail(reset).token, new_password: password })
    assert.equal(set.status, 204)
    await enrol(started, started.clock)
  })

  it('so does an undone change of the address that removes the app', async () => {
    const started = await start(stage)
    const { thief } = await setUp(started)
    await useUpMails(started, thief)
    const { accessToken: bearer } = await tokensWithFactor(thief)
    const json = { current_password: password, new_email: 'thief@example.com' }
    assert.equal((await started.send('POST', '/users/me/email', { bearer, json })).status, 202)
    await started.settled()
    const code = started.mails.findLast(({ to }) => to === 'thief@example.com')
    const confirmed = { bearer, json: { token: readMail(code).token } }
    const { status } = await started.send('POST', '/email-changes/confirm', confirmed)
    assert.equal(status, 204)
    await started.settled()
    const link = started.mails.findLast(({ text }) => text.includes('undo-email-change?token='))
    const undone = { token: readMail(link).token }
    const { status: ended } = await started.send('POST', '/email-changes/undo', { json: undone })
    assert.equal(ended, 204)
    await started.settled()
    const reset = started.mails.findLast(({ text }) => text.includes('reset-password'))
    const set = await started.confirm({ token: readMail(reset).token, new_password: password })
    assert.equal(set.status, 204)
    await enrol(started, started.clock)
  })

  it('a change without room for its mail says when there is room', async () => {
    const started = await start(stage)
    const { thief } = await setUp(started)
    const codes = async (): Promise<Answer> => {
      const { accessToken: bearer } = await tokensWithFactor(thief)
      return started.send('POST', '/users/me/factors/recovery-codes', { bearer })
    }
    for (let n = 0; n < 5; n++) {
      if (n >= 2) started.clock.advance(3_600)
      assert.equal((await codes()).status, 200)
    }
    const { status, headers } = await codes()
    assert.equal(status, 429)
    // The limit of a day has one mail every six hours.
    const wait = Number(headers.get('retry-after'))
    assert.ok(wait > 2 * 3_600 && wait <= 3 * 3_600, String(wait))
  })
})

describeOnBoth(
  'the mail about the first second factor',
  (stage) => {
    it('has an undo link for accounts, and none for the users of an app', async () => {
      const started = await start(stage)
      const { mail } = await setUp(started)
      assert.equal(undoes.test(mail.text), started.keystile.users !== undefined)
      assert.match(mail.subject, /has an authenticator app now/)
    })

    it('a reset of the factors makes room for it', async () => {
      const started = await start(stage)
      const { thief } = await setUp(started)
      await useUpMails(started, thief)
      await started.keystile.resetFactors(thief.subject)
      const { accessToken: bearer } = tokensOf((await started.login()).json)
      const begun = await started.send('POST', '/users/me/factors/totp', { bearer })
      const json = { code: appCode(begun.json['secret'], started.clock) }
      const confirm = '/users/me/factors/totp/confirm'
      const { status, text } = await started.send('POST', confirm, { bearer, json })
      assert.equal(status, 200, text)
    })
  },
  bothDirectories,
)
