// The commands `keystile user invite`, `invitations` and `uninvite`. A running server sends the
// mails.
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { openValueSecrets } from '../../tokens/signing-keys/sealing-secrets.ts'
import type { SigningKeyChoice } from '../../tokens/signing-keys/signing-key-source.ts'
import { readNames } from '../../users/accounts/cli-input.ts'
import { maxPageSize } from '../../users/accounts/user-page.ts'
import { parseEmail, type ComparableName } from '../../users/directory/names.ts'
import { hasAppUsers, readScopeRules } from '../../users/scopes/declared.ts'
import { changeRights, namesOfRights, type ScopeSettings } from '../../users/scopes/scopes.ts'
import { pagesUrlOf } from '../messages/pages-url.ts'
import { openMailSeal } from '../outbox/mail-seal.ts'
import { createMailProofs, type MailProofs } from '../proofs/proofs.ts'
import {
  listInvitations,
  sendInvitation,
  type InvitationPage,
  type ListedInvitation,
} from './sent-invitations.ts'
import { revokeInvitation } from './store.ts'

export interface Options extends ScopeSettings, SigningKeyChoice {
  readonly issuer: string
  readonly mailUrl?: string | undefined
  readonly accountPagesUrl?: string | undefined
}

/** `keystile user invite`: invites a person, even while registration is closed. */
export async function invite(call: Call<Options>): Promise<void> {
  const { operand, flags, terminal, clock } = call
  const { options } = await call.settings()
  const email = addressOf(operand)
  if (options.mailUrl === undefined)
    throw new ConfigurationError(
      'user invite needs a mail server. Fix: set KEYSTILE_MAIL_URL; an app that sends its mails ' +
        'itself calls keystile.users.invite',
    )

  await call.withDatabase(async (database) => {
    if (await hasAppUsers(database))
      throw new ConfigurationError(
        'invitations are for accounts that Keystile stores; the app that uses this database ' +
          'stores its users itself (its option users). Fix: invite the person in the app',
      )
    const rules = await readScopeRules(database, options)
    const [roles, scopes] = [readNames(flags, 'role', rules), readNames(flags, 'scope', rules)]
    const rights = changeRights({ scopes: [], roles: [] }, { scopes, roles })
    const seal = openMailSeal(() => openValueSecrets(options))
    const parts = { database, seal, pagesUrl: pagesUrlOf(options), clock }
    const sent = await sendInvitation({ email, ...rights }, byOperator, parts)
    if ('refused' in sent) throw new ConfigurationError(refusals[sent.refused])
    terminal.print(`invited ${email.shown}; the link expires at ${sent.expiresAt.toISOString()}`)
  })
}

/** `keystile user uninvite`: revokes an invitation that was not accepted. */
export async function uninvite(call: Call<Options>): Promise<void> {
  const { operand, terminal, clock } = call
  const { shown, key: mailbox } = addressOf(operand)
  await call.withDatabase(async (database) => {
    const values = { mailbox, by: byOperator, now: clock.now() }
    if (!(await database.write(revokeInvitation, values)))
      throw new ConfigurationError(`there is no invitation for ${shown}`)
    terminal.print(`revoked the invitation for ${shown}`)
  })
}

/** `keystile user invitations`: prints each invitation on one line, as text or as a JSON object. */
export async function invitations(call: Call<Options>): Promise<void> {
  const { options } = await call.settings()
  await call.withDatabase(async (database) => {
    const seal = openMailSeal(() => openValueSecrets(options))
    const proofs = createMailProofs(database, { seal, clock: call.clock })
    await printList(call, listAll(proofs), invitationList)
  })
}

async function* listAll(proofs: MailProofs): AsyncIterable<ListedInvitation> {
  let after: string | null = ''
  while (after !== null) {
    const wanted = { after, limit: maxPageSize }
    const page: InvitationPage = await listInvitations(proofs, wanted)
    yield* page.invitations
    after = page.next
  }
}

const invitationList: Listing<ListedInvitation> = {
  columns: [
    { title: 'E-MAIL', width: 28, show: ({ email }) => email },
    { title: 'INVITED', width: 24, show: ({ invitedAt }) => invitedAt.toISOString() },
    { title: 'EXPIRES', width: 24, show: ({ expiresAt }) => expiresAt.toISOString() },
    {
      title: 'ROLES AND SCOPES',
      width: 0,
      show: ({ rights }) => (rights ? namesOfRights(rights).join(' ') || null : 'unreadable'),
    },
  ],
  wire: wireInvitation,
  none: 'there are no invitations that can be accepted',
}

function wireInvitation({ email, rights, invitedAt, expiresAt }: ListedInvitation): object {
  return {
    email,
    scopes: rights?.scopes ?? null,
    roles: rights?.roles ?? null,
    invited_at: invitedAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  }
}

function addressOf(operand: string): ComparableName {
  const email = parseEmail(operand)
  if (!email)
    throw new ConfigurationError('the operand must be an e-mail address, such as ada@example.com')
  return email
}

const refusals = {
  taken: 'this email is already taken',
  'too-many-mails': 'this mailbox got too many invitations; try again in an hour',
}
