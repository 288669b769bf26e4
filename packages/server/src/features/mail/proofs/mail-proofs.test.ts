// Tests the transactions for proofs, without the endpoints. A proof is the row behind the link and
// the code of a mail. The transactions bind it to an account, count wrong codes, and use it up.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createTestClock, describeOnBoth } from '../../../../test-support/keystile.ts'
import { createSeal } from '../../../base/seal.ts'
import { hashSecret } from '../../../base/secret.ts'
import type { Command, Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { insertUser } from '../../users/accounts/store.ts'
import { newRowOf } from '../../users/accounts/user.ts'
import { bindEmailChange, confirmEmailChange } from '../email-change/store.ts'
import { bindVerification, verifyEmail } from '../email-verification/store.ts'
import { prepareMail } from '../outbox/new-mail.ts'
import {
  bindAppReset,
  bindReset,
  claimReset,
  releaseReset,
  resetPassword,
} from '../password-reset/store.ts'
import { bindRegistration } from '../pending-registration/store.ts'
import type { BindValues } from './bind-in-transaction.ts'
import { expiryOf, proofKinds } from './kinds.ts'
import { codeSecrets, prepareProof, type NewProof } from './new-proof.ts'
import { createMailProofs } from './proofs.ts'
import { openData, openRequest, sealData, sealRequest } from './sealed-values.ts'
import { requestProof } from './store.ts'
import { hasUnreadableProof } from './unreadable.ts'

const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const kind = { ...proofKinds.passwordReset, lifetimeHours: 0.25 }
const seal = createSeal('a key for tests', 'mails')
const clock = createTestClock()
const now = clock.now()
const nobody = { actor: 'nobody' } as const
const sealedRequest = { values: { login: 'ada' }, secrets: { token: 't', code: 'c' } }

describeOnBoth('a proof', (stage) => {
  /** Adds ada, and runs a test with a second connection, while no resolver runs. */
  const withProofs = async (
    test: (parts: {
      readonly database: Database
      readonly subject: string
      /** Stores a request of ada, and binds it. */
      readonly bind: (
        proof: NewProof,
        fields?: Partial<BindValues>,
        command?: Command<BindValues, void>,
      ) => Promise<void>
      readonly find: (proof: NewProof, code?: string) => Promise<unknown>
    }) => Promise<void>,
  ): Promise<void> => {
    const { addUser, keystile } = await stage.start()
    const subject = await addUser()
    await keystile.close()
    const database = await openDatabase(stage.database, writerThread)
    const proofs = createMailProofs(database, { seal: () => seal, clock })
    try {
      await test({
        database,
        subject,
        async bind({ row }, fields = {}, command = bindReset) {
          await database.write(requestProof, row)
          const mail = prepareMail({ template: 'x', lifetimeMilliseconds: 1 }, undefined, now)
          const email = 'ada@example.com'
          const binding = { subject, mailbox: email, recipient: email, device: undefined }
          const values = { ...binding, id: row.id, sealed: null, mail, now, ...fields }
          await database.write(command, values)
        },
        find: ({ requestId, token, code }, typed) =>
          proofs.find(kind, typed === undefined ? { token } : { requestId, code: typed || code }),
      })
    } finally {
      await database.close()
    }
  }
  const make = (): NewProof => prepareProof(kind, 'ada', { seal, now })

  it('the link and the code of a mail are refused until they are bound to an account', () =>
    withProofs(async ({ database, find }) => {
      const proof = make()
      await database.write(requestProof, proof.row)
      assert.deepEqual([await find(proof), await find(proof, '')], [undefined, undefined])
    }))

  it('if another account takes the address of a registration, the registration sends no mail', () =>
    withProofs(async ({ bind, subject }) => {
      for (const [registered, mails] of [
        ['another', 0],
        [subject, 1],
      ] as const) {
        await bind(make(), { subject: registered }, bindRegistration)
        assert.equal((await stage.sql('select id from mail')).length, mails)
      }
    }))

  it('the mail about a taken address is stored for its holder, not the requester', () =>
    withProofs(async ({ database, bind, subject }) => {
      const username = { shown: 'eve', key: 'eve' }
      const rights = { scopes: [], roles: [], profile: {} }
      const eve = newRowOf({ username, email: undefined, passwordHash: 'h', ...rights }, now)
      await database.write(insertUser, { row: eve, by: nobody, proof: undefined })
      await bind(make(), { subject: eve.id }, bindEmailChange)
      const [mail] = await stage.sql('select subject from mail')
      const [proof] = await stage.sql('select subject from mail_proof')
      assert.deepEqual([mail?.['subject'], proof?.['subject']], [subject, eve.id])
    }))

  it('if an account changes before a link is bound, the link is invalid and no mail is sent', () =>
    withProofs(async ({ bind, find, subject }) => {
      for (const change of [
        'disabled_at = 1',
        "disabled_at = null, email_key = 'other@example.com'",
        "email_key = 'ada@example.com', email = 'another mailbox with this key'",
        "email = 'ada@example.com', deleted_at = 1",
      ]) {
        await stage.sql(`update "user" set ${change} where id = '${subject}'`)
        const proof = make()
        await bind(proof)
        assert.equal(await find(proof), undefined, change)
        assert.deepEqual(await stage.sql('select id from mail'), [])
      }
      const open = await stage.sql('select id from mail_proof where resolved_at is null')
      assert.deepEqual(open, [])
    }))

  it('no mail is sent if the user is disabled, or the address verified, after the request', () =>
    withProofs(async ({ bind }) => {
      for (const [command, change] of [
        [bindEmailChange, 'disabled_at = 1'],
        [bindVerification, 'disabled_at = 1'],
        [bindVerification, 'disabled_at = null, email_verified_at = 1'],
      ] as const) {
        await stage.sql(`update "user" set ${change}`)
        await stage.sql('delete from mail_proof')
        await bind(make(), {}, command)
        const rows = await stage.sql('select subject, resolved_at from mail_proof')
        assert.deepEqual(
          rows.map((proof) => [proof['subject'], Number(proof['resolved_at'])]),
          [[null, now]],
        )
        assert.deepEqual(await stage.sql('select id from mail'), [])
      }
    }))

  it('verifyEmail records one verification, and makes other links invalid', () =>
    withProofs(async ({ database, bind, find, subject }) => {
      const [used, unused, late] = [make(), make(), make()]
      const verify = ({ row }: NewProof): Promise<{ readonly isVerified: boolean }> => {
        const found = { id: row.id, purpose: kind.purpose, subject, mailbox: 'ada@example.com' }
        return database.write(verifyEmail, { proof: found, by: nobody, now })
      }
      for (const proof of [used, unused]) await bind(proof)
      assert.deepEqual(await verify(used), { isVerified: true })
      assert.equal(await find(unused), undefined)
      await bind(late)
      assert.deepEqual(await verify(late), { isVerified: true })
      const recorded = await stage.sql("select id from audit where event = 'email_verified'")
      assert.equal(recorded.length, 1)
    }))

  it('resetPassword and verifyEmail refuse a link whose account now has another address', () =>
    withProofs(async ({ database, bind, find, subject }) => {
      const proof = make()
      await bind(proof)
      const found = { id: proof.row.id, purpose: kind.purpose, subject, mailbox: 'ada@example.com' }
      const by = nobody
      const change = { hash: 'h', notice: undefined, by }
      const reset = (late = now, other = {}): Promise<{ readonly isReset: boolean }> =>
        database.write(resetPassword, { ...change, proof: { ...found, ...other }, now: late })
      await stage.sql(`update "user" set email_key = 'b@example.com' where id = '${subject}'`)
      assert.deepEqual(await reset(), { isReset: false })
      const verified = await database.write(verifyEmail, { proof: found, by, now })
      assert.deepEqual(verified, { isVerified: false })
      await stage.sql(`update "user" set email_key = 'ada@example.com' where id = '${subject}'`)
      assert.deepEqual(await reset(now + 900_000), { isReset: false })
      for (const other of [{ id: make().row.id }, { purpose: 'other' }])
        assert.deepEqual(await reset(now, other), { isReset: false })
      assert.notEqual(await find(proof), undefined)
      assert.deepEqual(await reset(), { isReset: true })
      assert.deepEqual(await reset(), { isReset: false })
    }))

  it('confirmEmailChange refuses an expired proof, or one for another purpose or mailbox', () =>
    withProofs(async ({ database, bind, find, subject }) => {
      const [proof, unused] = [make(), make()]
      for (const each of [proof, unused]) await bind(each)
      const [row] = await stage.sql('select password_hash from "user"')
      const passwordHash = String(row?.['password_hash'])
      const found = { id: proof.row.id, purpose: kind.purpose, subject, mailbox: 'ada@example.com' }
      const email = { shown: 'new@example.com', key: 'new@example.com' }
      const mail = prepareMail({ template: 'x', lifetimeMilliseconds: 1 }, undefined, now)
      const undo = { tokenHash: 'x', expiresAt: now + 1, mail, notice: undefined }
      const change = { email, passwordHash, from: 'ada@example.com', undo, by: nobody }
      const confirm = (fields: object, time = now): Promise<{ readonly outcome: string }> =>
        database.write(confirmEmailChange, { ...change, proof: { ...found, ...fields }, now: time })
      for (const other of [
        { id: make().row.id },
        { purpose: 'other' },
        { mailbox: 'b@example.com' },
      ])
        assert.deepEqual(await confirm(other), { outcome: 'refused' })
      assert.deepEqual(await confirm({}, now + 900_000), { outcome: 'refused' })
      const [user] = await stage.sql('select email_key from "user"')
      assert.equal(user?.['email_key'], 'ada@example.com')
      assert.deepEqual(await confirm({}), { outcome: 'changed' })
      assert.deepEqual(await confirm({}), { outcome: 'refused' })
      assert.equal(await find(unused), undefined)
    }))

  it('an unexpired reset link can be claimed only for its account, by one caller at a time', () =>
    withProofs(async ({ database, bind, subject }) => {
      const proof = make()
      await bind(proof)
      const found = { id: proof.row.id, purpose: kind.purpose, subject, mailbox: 'ada@example.com' }
      const claim = async (fields: object, time = now) =>
        (await database.write(claimReset, { proof: { ...found, ...fields }, now: time })).claim
      await stage.sql(
        `insert into session (id, subject, client_id, created_at, last_used_at, tokens_expire_at)
          values ('s', '${subject}', 'first-party', 0, 0, ${now + 1})`,
      )
      const hasSession = async (): Promise<boolean> =>
        (await stage.sql('select id from session where ended_at is null')).length === 1
      for (const other of [
        { id: make().row.id },
        { purpose: 'other' },
        { subject: 'other' },
        { mailbox: 'b@example.com' },
      ])
        assert.equal(await claim(other), 'gone')
      assert.equal(await claim({}, now + 900_000), 'gone')
      assert.equal(await hasSession(), true)

      const claimed = await claim({})
      assert.deepEqual(claimed, { ...found, claimedUntil: now + 30_000 })
      assert.equal(await hasSession(), false)
      await stage.sql('update session set ended_at = null')
      assert.equal(await claim({}, now + 29_999), 'claimed')
      assert.equal(await claim({ subject: 'other' }, now + 29_999), 'gone')
      assert.equal(await hasSession(), true)
      const again = await claim({}, now + 30_000)
      assert.ok(typeof claimed === 'object' && typeof again === 'object')
      await database.write(releaseReset, claimed)
      assert.equal(await claim({}, now + 30_001), 'claimed')
      await database.write(releaseReset, again)
      assert.equal(typeof (await claim({}, now + 30_001)), 'object')
    }))

  it('wrong codes count for the typed name until the proof is bound to a user', () =>
    withProofs(async ({ database, bind, find }) => {
      for (let request = 0; request < 4; request++) {
        const proof = make()
        await database.write(requestProof, proof.row)
        for (let count = 0; count < 5; count++) await find(proof, 'wrong')
      }
      const tries = await stage.sql('select tries from mail_proof')
      assert.deepEqual(
        tries.map(({ tries: each }) => Number(each)),
        [5, 5, 5, 5],
      )
      const rates = await stage.sql(`select tat from rate where tat > ${now}`)
      assert.deepEqual(
        rates.map(({ tat }) => Number(tat)),
        [now + 10 * 144 * 60_000, now + 10 * 144 * 60_000],
        'as many counts as for a bound proof',
      )

      const [counted, other] = [make(), make()]
      await bind(counted, { keepsCount: true })
      assert.equal(await find(counted, ''), undefined)
      assert.ok(await find(counted))
      await bind(other)
      assert.ok(await find(other, ''), 'its wrong codes are counted for the user')
    }))

  it('wrong codes for unknown request ids add at most 1,024 counts, and block no one', () =>
    withProofs(async ({ bind, find }) => {
      const countRates = async (): Promise<number> => (await stage.sql('select * from rate')).length
      const before = await countRates()
      assert.equal(await find(make(), 'wrong'), undefined)
      assert.equal((await countRates()) - before, 2, 'as many counts as for a known id')
      for (let round = 0; round < 70; round++)
        await Promise.all(Array.from({ length: 10 }, () => find(make(), 'wrong')))
      const made = (await countRates()) - before
      assert.ok(made > 600 && made <= 1_024, `${made} counts`)
      assert.deepEqual(await stage.sql(`select * from rate where tat > ${now}`), [])

      const proof = make()
      await bind(proof)
      assert.ok(await find(proof, ''))
    }))

  it('a user has three valid reset links, and three more from a known device', () =>
    withProofs(async ({ bind, find }) => {
      let time = now
      const bindFour = async (fields: (n: number) => Partial<BindValues>): Promise<NewProof[]> => {
        const proofs = [0, 1, 2, 3].map(() => prepareProof(kind, 'ada', { seal, now: time++ }))
        for (const [n, proof] of proofs.entries()) await bind(proof, fields(n), bindAppReset)
        return proofs
      }
      const findEach = async (proofs: readonly NewProof[]): Promise<readonly boolean[]> =>
        Promise.all(proofs.map(async (proof) => (await find(proof)) !== undefined))

      const toSameMailbox = await bindFour(() => ({}))
      assert.deepEqual(await findEach(toSameMailbox), [true, true, true, false])
      const open = await stage.sql('select id from mail_proof where resolved_at is null')
      assert.deepEqual(open, [])

      const ofDevice = await bindFour((n) => ({ device: 'device', recipient: `${n}@x.example` }))
      assert.deepEqual(await findEach(toSameMailbox), [true, true, true, false])
      const others = await bindFour((n) => ({ recipient: `${n}@x.example` }))
      assert.deepEqual(await findEach(toSameMailbox), [false, false, false, false])
      for (const proofs of [ofDevice, others])
        assert.deepEqual(await findEach(proofs), [false, true, true, true])
    }))

  it('hasUnreadableProof is true only if a stored proof was encrypted with another key', () =>
    withProofs(async ({ database }) => {
      const isFound = (): Promise<boolean> => hasUnreadableProof(database.reader, seal)
      for (const [key, expected] of [
        [undefined, false],
        [seal, false],
        [createSeal('another key for tests', 'mails'), true],
      ] as const) {
        const { row } = make()
        await database.write(requestProof, {
          ...row,
          sealed: key ? sealRequest(key, row, sealedRequest) : null,
        })
        assert.equal(await isFound(), expected)
      }
      await stage.sql('alter table mail_proof rename to gone')
      assert.equal(await isFound(), false)
      await stage.sql('alter table gone rename to mail_proof')
    }))

  it('wrong codes are counted separately for each purpose and each typed name', () => {
    const { prepare } = createMailProofs({} as Database, { seal: () => seal, clock })
    const counted = [
      prepare(kind, {}, 'ada'),
      prepare(kind, {}, 'eve'),
      prepare({ ...kind, purpose: 'other' }, {}, 'ada'),
    ].map(({ row }) => row.counted_for)
    assert.equal(new Set(counted).size, 3)
    assert.equal(prepare(kind, {}, 'ada').row.counted_for, counted[0])
  })

  it('the names of purposes stay the same, because databases contain them', () => {
    const { passwordReset, verification, registration, emailChange, invitation } = proofKinds
    const kinds = [passwordReset, verification, registration, emailChange, invitation]
    assert.deepEqual(
      kinds.map(({ purpose }) => purpose),
      ['password_reset', 'email_verification', 'registration', 'email_change', 'invitation'],
    )
  })

  it('a link for a new password works for 3 hours; an undo and an invitation 7 days', () => {
    const hours = Object.values(proofKinds).map((kind) => (expiryOf(kind, now) - now) / 3_600_000)
    assert.deepEqual(hours, [3, 24, 24, 168, 24, 168, 168])
  })

  it('a mail code has eight digits; codeSecrets ignores spaces and hyphens in a code', () => {
    for (let count = 0; count < 100; count++) assert.match(make().code ?? '', /^\d{8}$/)
    assert.deepEqual(codeSecrets(seal, 'id', '1234 5678'), codeSecrets(seal, 'id', '12345678'))
    assert.deepEqual(codeSecrets(seal, 'id', '12-34-56-78'), codeSecrets(seal, 'id', '12345678'))
    assert.notDeepEqual(codeSecrets(seal, 'id', '12345679'), codeSecrets(seal, 'id', '12345678'))
  })

  it('a copy of the database does not show the code of a request that the thief has made', () => {
    const { requestId, code, row } = make()
    const another = createSeal('another key for tests', 'mails')
    for (const text of [`${requestId}\n${code}`, ...codeSecrets(another, requestId, code)])
      assert.notEqual(row.code_hash, hashSecret(text))
  })

  it('a mailed code also works once the key has been replaced', () => {
    const { requestId, code, row } = make()
    const replaced = createSeal(['a new key', 'a key for tests'], 'mails')
    const hashes = codeSecrets(replaced, requestId, code).map(hashSecret)
    assert.equal(hashes.indexOf(row.code_hash ?? ''), 1)
  })

  it('a sealed request cannot be opened in another row, for another purpose, or as data', () => {
    const { row } = make()
    const sealed = sealRequest(seal, row, sealedRequest)
    assert.deepEqual(openRequest(seal, { ...row, sealed }), sealedRequest)
    for (const moved of [{ id: make().row.id }, { purpose: 'other' }])
      assert.equal(openRequest(seal, { ...row, sealed, ...moved }), undefined)
    assert.equal(openData(seal, { ...row, sealed }), undefined)
    assert.equal(openRequest(seal, { ...row, sealed: sealData(seal, row, {}) }), undefined)
  })
})
