// Mails about the second factors of an app's own users, whose addresses Keystile cannot verify: a
// stranger may have an account with a tagged form of the address.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  describeOnBoth,
  password,
  tokensOf,
  type Answer,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { appCode, beginEnrolment } from '../../packages/server/test-support/second-factor.ts'

/** A user who sets up an app, and changes it. */
interface AppUser {
  readonly setUp: () => Promise<Answer>
  readonly renew: () => Promise<Answer>
  readonly remove: () => Promise<Answer>
}

async function logIn(
  { send, login, clock }: WithMailbox,
  username: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<AppUser> {
  const { status, json, text } = await login({ username, ...fields })
  assert.equal(status, 200, text)
  const { accessToken: bearer } = tokensOf(json)
  return {
    async setUp() {
      const begun = await send('POST', '/users/me/factors/totp', { bearer })
      const code = appCode(begun.json['secret'], clock)
      return send('POST', '/users/me/factors/totp/confirm', { bearer, json: { code } })
    },
    renew: () => send('POST', '/users/me/factors/recovery-codes', { bearer }),
    remove: () => send('DELETE', '/users/me/factors/totp', { bearer }),
  }
}

/** A stranger changes factors until the mailbox of the tagged address has no room. */
async function fillMailbox(started: WithMailbox, stage: Stage): Promise<void> {
  await stage.people.add({ username: 'eve', email: 'ada+1@example.com', password })
  const { json, text } = await (await logIn(started, 'eve')).setUp()
  const [recovery_code] = json['recovery_codes'] as readonly string[]
  assert.ok(recovery_code, text)
  const eve = await logIn(started, 'eve', { recovery_code })
  const statuses: number[] = []
  for (let n = 0; n < 3; n++) statuses.push((await eve.renew()).status)
  assert.deepEqual(statuses, [200, 200, 429])
}

const factorMails = async ({ mails, settled }: WithMailbox): Promise<number> => {
  await settled()
  return mails.filter(({ subject }) => /authenticator app|recovery codes/.test(subject)).length
}

describeOnBoth(
  'mails about factors to an address that was never verified',
  (stage) => {
    it('strangers with the mailbox in other forms stop no change, and cause no further mails', async () => {
      const started = await startWithMailbox(stage, { secondFactor: 'optional' })
      const { clock } = started
      await stage.people.add({ username: 'ada', email: 'ada@example.com', password })
      const { json } = await (await logIn(started, 'ada')).setUp()
      const [recovery_code] = json['recovery_codes'] as readonly string[]
      assert.ok(recovery_code)
      clock.advance(24 * 3_600)
      const before = await factorMails(started)
      await fillMailbox(started, stage)
      assert.equal(await factorMails(started), before + 3)

      const ada = await logIn(started, 'ada', { recovery_code })
      for (const change of [ada.renew, ada.setUp, ada.remove]) {
        const { status, text } = await change()
        assert.ok(status < 300, text)
      }
      assert.equal(await factorMails(started), before + 3)
      const dropped = await stage.sql('select template, drops from dropped_mail order by template')
      assert.deepEqual(
        dropped.map(({ template }) => template),
        ['factor_added', 'factor_removed', 'recovery_codes_made'],
      )
      // The limit of her own account stays.
      assert.equal((await ada.setUp()).status, 429)
    })

    it('strangers with the mailbox in other forms stop no login that sets up a factor', async () => {
      const started = await startWithMailbox(stage, { secondFactor: 'optional' })
      const { clock, mails, settled, mailTo } = started
      await stage.people.add({ username: 'ada', email: 'ada@example.com', password })
      await fillMailbox(started, stage)
      const send = (message: (typeof mails)[number]): void =>
        void (mails as (typeof message)[]).push(message)
      const mail = { from: 'no-reply@example.com', send }
      const required = await stage.start({ clock, mail, secondFactor: 'required' })
      const enrolling = await beginEnrolment({ ...required, clock, mails, settled, mailTo })
      const { status, text } = await enrolling.end()
      assert.equal(status, 200, text)
    })
  },
  ['people'],
)
