// Attacks on the codes in mails, from many addresses at once. With KEYSTILE_LONG=1, ten thousand
// guesses over a thousand accounts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MailMessage } from '@keystile/server'
import {
  describeOnOne,
  type SendOptions,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import {
  mailFlows,
  nextPassword,
  readMail,
  startMails,
  type Person,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'

const accounts = process.env['KEYSTILE_LONG'] ? 1_000 : 20
const guessesEach = 10
const guessCount = accounts * guessesEach
/** The people of each flow whose codes are attacked. */
const people = process.env['KEYSTILE_LONG'] ? 500 : 2
/** So many accounts are attacked at once: the server limits how many mails it sends. */
const chunk = 250
/** Each tenth owner has logged in on a device before the attack. */
const isOwned = (n: number): boolean => n % 10 === 0

let requests = 0
/** Returns the options of a request from an address that no other request has. */
const fromElsewhere = (): SendOptions => ({
  remoteAddress: '127.0.0.1',
  headers: {
    'x-forwarded-for': `10.${requests >> 16}.${(requests >> 8) & 255}.${requests++ & 255}`,
  },
})
const nameOf = (n: number): string => `user-${n}`
const passwordOf = (n: number): string => `a password of ${n} words`

const start = (stage: Stage): Promise<TestMails> =>
  startMails(stage, { rateLimits: 'on', trustedProxies: ['127.0.0.1'] })

describeOnOne('SQLite', 'guesses at the codes of mails', (stage) => {
  it(`of ${guessCount} guesses at ${accounts} codes, only 5 per code are checked`, async (t) => {
    const started = await start(stage)
    const { clock, send, confirm, settled } = started
    let [tries, resets] = [0, 0]
    for (let first = 0; first < accounts; first += chunk) {
      const numbers = Array.from({ length: Math.min(chunk, accounts - first) }, (_, n) => first + n)
      const devices = await addUsers(numbers, started)
      const ids = []
      for (const n of numbers) {
        const { json } = await send('POST', '/password-resets', {
          ...fromElsewhere(),
          json: { login: nameOf(n) },
        })
        ids.push(String(json['request_id']))
      }
      await settled()
      for (const request_id of ids) {
        const guesses = Array.from({ length: guessesEach }, (_, n) =>
          confirm({ request_id, code: String(n).padStart(8, '0') }, fromElsewhere()),
        )
        for (const { status } of await Promise.all(guesses)) assert.equal(status, 403)
      }
      const rows = await stage.sql('select tries from mail_proof where subject is not null')
      for (const row of rows) assert.ok(Number(row['tries']) <= 5, `${String(row['tries'])} tries`)
      tries += rows.reduce((sum, row) => sum + Number(row['tries']), 0)
      for (const [n, device_secret] of devices) resets += await reset(n, device_secret, started)
      clock.advance(20 * 60)
      await stage.sql('delete from mail_proof')
    }
    assert.equal(tries, accounts * 5)
    assert.equal(resets, accounts / 10)
    t.diagnostic(`${stage.kind}: ${tries} tries compared, ${resets} owners set a new password`)
  })

  it('an attacker gets 20 guesses a day, but the owner can still set a new password', async () => {
    const started = await start(stage)
    const { clock, send, confirm, settled, mails } = started
    const devices = await addUsers([0], started)
    let compared = 0
    for (let hour = 0; hour < 24; hour += 3) {
      mails.length = 0
      const { status, json } = await send('POST', '/password-resets', {
        ...fromElsewhere(),
        json: { login: hour % 2 === 0 ? nameOf(0) : `${nameOf(0)}@example.com` },
      })
      if (status === 202) await settled()
      if (status === 202 && mails.length > 0) {
        const { code } = readMail(mails[0])
        const request_id = String(json['request_id'])
        const isOpen = async (): Promise<boolean> =>
          // The right code with a refused password restores its try.
          (await confirm({ request_id, code, new_password: 'x' }, fromElsewhere())).status === 422
        for (let guess = 0; guess < 10; guess++) {
          const wasOpen = await isOpen()
          await confirm({ request_id, code: '00000000x' }, fromElsewhere())
          if (wasOpen) compared++
        }
        assert.equal(await isOpen(), false)
      }
      clock.advance(3 * 3_600)
    }
    assert.ok(compared >= 15 && compared <= 20, `${compared} tries`)
    // The attacker also uses up the mails that strangers may send to this mailbox.
    for (let count = 0; count < 4; count++)
      await send('POST', '/password-resets', { ...fromElsewhere(), json: { login: nameOf(0) } })
    await settled()
    assert.equal(await reset(0, devices.get(0) ?? '', started), 1)
  })
})

describeOnOne('SQLite', 'guesses at the codes of each flow', (stage) => {
  for (const flow of mailFlows) {
    const { idName } = flow
    if (idName === undefined) continue

    it(`${flow.name}: after five wrong codes, only the link of the mail works`, async () => {
      const limits = { rateLimits: 'on', trustedProxies: ['127.0.0.1'] } as const
      const started = await startMails(stage, { ...flow.options, ...limits })
      const { send, settled, mails, clock } = started
      for (let first = 0; first < people; first += chunk) {
        mails.length = 0
        const asked = new Map<Person, string>()
        for (let n = first; n < Math.min(people, first + chunk); n++) {
          const from = fromElsewhere()
          const username = nameOf(n)
          const email = `${username}@example.com`
          const person = { username, email, password: passwordOf(n), from }
          asked.set(person, String((await flow.ask(person, started)).json[idName]))
        }
        await settled()

        for (const [person, id] of asked) {
          const confirm = async (proof: object): Promise<number> => {
            const json = { ...flow.fields(person), ...proof }
            return (await send('POST', flow.confirmPath, { ...fromElsewhere(), json })).status
          }
          const codes = Array.from({ length: guessesEach }, (_, n) => String(n).padStart(8, '0'))
          const statuses: readonly number[] = await Promise.all(
            codes.map((guess) => confirm({ [idName]: id, code: guess })),
          )
          assert.deepEqual(new Set(statuses), new Set([403]))
          const isOf = ({ to }: MailMessage): boolean => to.startsWith(`${person.username}@`)
          const { code, token } = readMail(mails.findLast((mail) => isOf(mail)))
          assert.equal(await confirm({ [idName]: id, code }), 403, 'the right code')
          assert.ok((await confirm({ token })) < 300, 'the link')
        }
        clock.advance(20 * 60)
      }
    })
  }
})

/** Adds users with verified addresses. Returns the device secrets of those who have logged in. */
async function addUsers(
  numbers: readonly number[],
  { keystile, login }: TestMails,
): Promise<ReadonlyMap<number, string>> {
  const devices = new Map<number, string>()
  for (const n of numbers) {
    const [username, password] = [nameOf(n), passwordOf(n)]
    const email = `${username}@example.com`
    await keystile.users?.create({ username, email, password, emailVerified: true })
    if (isOwned(n)) {
      const { json } = await login({ username, password })
      devices.set(n, String(json['device_secret']))
    }
  }
  return devices
}

/** Sets a new password as the owner does, on a known device by the link. Returns 1 if it worked. */
async function reset(
  n: number,
  device_secret: string,
  { send, settled, mails, confirm, login }: TestMails,
): Promise<number> {
  mails.length = 0
  const { status } = await send('POST', '/password-resets', {
    json: { login: nameOf(n), device_secret },
  })
  assert.equal(status, 202)
  await settled()
  const { token } = readMail(mails.find(({ text }) => text.includes('token=')))
  assert.equal((await confirm({ token })).status, 204)
  const { json } = await login({ username: nameOf(n), password: nextPassword })
  return json['access_token'] === undefined ? 0 : 1
}
