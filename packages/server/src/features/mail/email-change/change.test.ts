import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSeal } from '../../../base/seal.ts'
import { hashSecret } from '../../../base/secret.ts'
import type { AnyCommand, Database } from '../../../storage/database.ts'
import { noLimits } from '../../operations/limits/limits.ts'
import type { User } from '../../users/accounts/user.ts'
import type { FlowParts } from '../flows/flow.ts'
import { createNotices } from '../messages/notices.ts'
import { openParameters, type NewMail } from '../outbox/new-mail.ts'
import type { FoundProof } from '../proofs/proofs.ts'
import type { EmailChangeParts, EmailChanges } from './change-types.ts'
import { emailChangeFlow } from './change.ts'
import { confirmEmailChange, undoEmailChange } from './store.ts'
import { undoFlow, type EmailUndo } from './undo.ts'

const now = Date.UTC(2026, 10, 25)
const seal = createSeal('a key for tests', 'mails')
const clock = { now: () => now }
const by = { actor: 'nobody' } as const
const pages = 'https://auth.example/account'

/** A command that the database got, and its values. */
type Written<C extends AnyCommand> = readonly [command: C, values: Parameters<C['run']>[1]]

/** Creates the changes of a user without an address, who asks for `ada@example.com`. */
function create(
  write: (command: unknown, values: unknown) => Promise<object>,
): EmailChanges & Pick<EmailUndo, 'prepare' | 'undo'> {
  const publicUser = { id: 'ada', email: null }
  const user = { publicUser, passwordHash: 'hash', active: true } as unknown as User
  const data = { email: 'ada@example.com', from: '', mark: 'hash' }
  const proof: FoundProof = { id: 'x', purpose: 'x', subject: 'ada', mailbox: 'x', data }
  const parts = {
    database: { write: write as unknown as Database['write'] },
    proofs: { find: async () => proof },
    users: { readBySubject: async () => user, settle: async () => {} },
    notices: createNotices(() => seal, clock),
    limits: noLimits,
    seal: () => seal,
    pagesUrl: pages,
    clock,
  }
  const undo = undoFlow(parts as unknown as FlowParts)
  const mustHaveFactor = (): boolean => false
  const changes = emailChangeFlow({ ...parts, undo, mustHaveFactor } as unknown as EmailChangeParts)
  return { ...changes, prepare: undo.prepare, undo: undo.undo }
}

/** Returns the parameters of a mail, and the token in its link. */
function read(mail: NewMail): { readonly parameters: unknown; readonly token: string } {
  const parameters = openParameters(mail, seal)
  return { parameters, token: /token=([\w-]{43})$/.exec(parameters?.['link'] ?? '')?.[1] ?? '' }
}

describe('a change of the e-mail address', () => {
  it('the link that restores an old address works for seven days', () => {
    const undo = create(() => assert.fail('nothing is stored')).prepare({ actor: 'nobody' })
    const { parameters, token } = read(undo.mail)
    assert.deepEqual(parameters, {
      link: `${pages}/undo-email-change?token=${token}`,
      expires_at: '2026-12-02T00:00:00.000Z',
    })
    assert.equal(undo.tokenHash, hashSecret(token))
    assert.equal(undo.expiresAt, now + 7 * 86_400_000)
    assert.equal(undo.mail.template, 'email_changed')
    assert.equal(undo.mail.lifetimeMilliseconds, 7 * 86_400_000)
    assert.equal(undo.notice?.template, 'email_removed')
  })

  it('the mail after an undo has a reset link for three hours, and no code', async () => {
    const stored: unknown[] = []
    const changes = create(async (...given) => {
      stored.push(given)
      return { subject: 'ada' }
    })
    await changes.undo('a token', by)
    const [[command, values]] = stored as [Written<typeof undoEmailChange>]
    const { reset, notice, tokenHash } = values
    const { parameters, token } = read(reset.mail)
    assert.equal(command, undoEmailChange)
    assert.deepEqual(parameters, {
      link: `${pages}/reset-password?token=${token}`,
      expires_at: '2026-11-25T03:00:00.000Z',
    })
    assert.deepEqual([reset.row.token_hash, reset.row.code_hash], [hashSecret(token), null])
    assert.deepEqual([reset.row.purpose, reset.mail.template], ['password_reset', 'password_reset'])
    assert.equal(reset.mail.lifetimeMilliseconds, 10_800_000)
    assert.deepEqual([notice?.template, tokenHash], ['email_removed', hashSecret('a token')])
  })

  it('a user who has no address yet can confirm an address', async () => {
    const stored: unknown[] = []
    const changes = create(async (...given) => {
      stored.push(given)
      return { outcome: 'changed' }
    })
    await changes.confirm({ token: 'x' }, { subject: 'ada', password: undefined }, by)
    const [[command, { from, email }]] = stored as [Written<typeof confirmEmailChange>]
    assert.equal(command, confirmEmailChange)
    assert.deepEqual([from, email.shown], [null, 'ada@example.com'])
  })

  it('a change of address gets 403 if another user takes the address meanwhile', async () => {
    const taken = Object.assign(new Error('x'), { code: '23505' })
    const owner = { subject: 'ada', password: undefined }
    for (const [error, expected] of [
      [taken, { code: 'forbidden' }],
      [new Error('the disk is full'), /the disk is full/],
    ] as const) {
      const changes = create(() => Promise.reject(error))
      await assert.rejects(changes.confirm({ token: 'x' }, owner, by), expected)
      await assert.rejects(changes.undo('x', by), expected)
    }
  })
})
